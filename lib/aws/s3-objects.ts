import { ServingError } from '../errors.ts';
import type { ModelObject } from '../models/model-store.ts';
import {
  bodyOf,
  errorCode,
  explain,
  MAX_KEY_BYTES,
  refused,
  type S3Requests,
  unreachable,
} from './s3-requests.ts';
import { encodeSegment } from './sign.ts';
import { readText } from './signed-requests.ts';

export interface S3Objects {
  /** Starts reading an object, see `ModelStore.get`. */
  get(bucket: string, key: string, knownEtag?: string): Promise<ModelObject | 'unchanged' | undefined>;
  /** What is below a prefix, in the order of the keys, at most 1,000. @param after keys up to this one are left out */
  list(
    bucket: string,
    prefix: string,
    after?: string,
  ): Promise<{ readonly objects: readonly ListedObject[]; readonly isLast: boolean }>;
}

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

/**
 * A large object comes in parts of this size, several at a time: one connection to S3 carries less than an environment's
 * 625 Mbit/s (Lambda quotas), and S3's own advice is 8 to 16 MB a range.
 */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_A_TIME = 4;

/** Reads objects. */
export const createS3Objects = (requests: S3Requests): S3Objects => {
  const getRange = (bucket: string, key: string, first: number, headers: Readonly<Record<string, string>>) =>
    requests.send({
      action: 's3:GetObject',
      bucket,
      key,
      headers: { ...headers, range: `bytes=${first}-${first + PART_BYTES - 1}` },
    });

  const getPart = async (bucket: string, key: string, first: number, etag: string): Promise<Buffer> => {
    const response = await getRange(bucket, key, first, { 'if-match': etag });
    if (response.statusCode === 412) {
      response.resume();
      throw new ServingError(
        'InternalDependencyException',
        'the model was replaced while it was read; try again',
      );
    }
    if (response.statusCode !== 206) throw await refused(response, bucket);
    const chunks: Buffer[] = [];
    for await (const chunk of bodyOf(response)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  /** The rest of an object in its order, while the parts after the one that is read are on their way. */
  async function* rest(
    bucket: string,
    key: string,
    etag: string,
    sizeBytes: number,
  ): AsyncGenerator<Uint8Array> {
    const starts = Array.from(
      { length: Math.ceil(sizeBytes / PART_BYTES) - 1 },
      (_, index) => (index + 1) * PART_BYTES,
    );
    const coming: Promise<Buffer>[] = [];
    const fetchNext = (): void => {
      const first = starts.shift();
      if (first === undefined) return;
      const part = getPart(bucket, key, first, etag);
      // Awaited in its turn, and perhaps never, where an earlier part fails.
      part.catch(() => undefined);
      coming.push(part);
    };
    for (let count = 0; count < PARTS_AT_A_TIME; count++) fetchNext();
    for (let part = coming.shift(); part !== undefined; part = coming.shift()) {
      yield await part;
      fetchNext();
    }
  }

  return {
    async get(bucket, key, knownEtag) {
      if (Buffer.byteLength(key) > MAX_KEY_BYTES) return undefined;
      const response = await getRange(
        bucket,
        key,
        0,
        knownEtag === undefined ? {} : { 'if-none-match': knownEtag },
      );
      const { statusCode, headers } = response;
      if (statusCode === 304) {
        response.resume();
        return 'unchanged';
      }
      const etag = headers.etag ?? '';
      // A range of an empty object cannot be had.
      if (statusCode === 416) {
        response.resume();
        return { etag, sizeBytes: 0, body: NOTHING, discard: () => undefined };
      }
      if (statusCode !== 200 && statusCode !== 206) {
        const code = await errorCode(response);
        if (code === 'NoSuchKey') return undefined;
        throw explain(statusCode, code, bucket);
      }
      const sizeBytes =
        statusCode === 206 ? totalOf(headers['content-range']) : Number(headers['content-length'] ?? 0);
      const body = async function* (): AsyncGenerator<Uint8Array> {
        yield* bodyOf(response);
        if (statusCode === 206 && sizeBytes > PART_BYTES) yield* rest(bucket, key, etag, sizeBytes);
      };
      return { etag, sizeBytes, body: body(), discard: () => response.destroy() };
    },

    async list(bucket, prefix, after) {
      const start = after === undefined ? '' : `&start-after=${encodeSegment(after)}`;
      const query = `list-type=2&prefix=${encodeSegment(prefix)}${start}`;
      const response = await requests.send({ action: 's3:ListBucket', bucket, query });
      if (response.statusCode === 403) throw mayNotList(bucket, await errorCode(response));
      if (response.statusCode !== 200) throw await refused(response, bucket);
      const text = await readText(response, MAX_LISTING_BYTES).catch((cause: unknown) => {
        throw unreachable(cause);
      });
      return {
        objects: text.split('<Contents>').slice(1).map(parseListed),
        isLast: !text.includes('<IsTruncated>true</IsTruncated>'),
      };
    },
  };
};

const mayNotList = (bucket: string, code: string): ServingError =>
  new ServingError(
    'InternalDependencyException',
    `the objects of the bucket ${bucket} may not be listed: the role needs s3:ListBucket on it`,
    { cause: new Error(`S3 answered 403 ${code}`) },
  );

/** 1,000 keys of 1,024 bytes, each of which XML may write with six. */
const MAX_LISTING_BYTES = 8 * 1024 * 1024;

const parseListed = (xml: string): ListedObject => {
  const text = (name: string): string => {
    const [, content = ''] = xml.split(`<${name}>`, 2);
    return copyOf(unescapeXml(content.slice(0, content.indexOf('<'))));
  };
  return { key: text('Key'), sizeBytes: Number(text('Size')), etag: text('ETag') };
};

/** A part of a string keeps the whole alive (V8's sliced strings), and whoever keeps one name of a page would keep the page. */
const copyOf = (text: string): string => Buffer.from(text).toString();

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield* [];
}
const NOTHING = nothing();

/** `bytes 0-9/10` */
const totalOf = (contentRange = ''): number => Number(contentRange.slice(contentRange.lastIndexOf('/') + 1));

const XML: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const unescapeXml = (text: string): string =>
  text.replaceAll(/&(?:#(\d+)|#x([\da-fA-F]+)|(\w+));/g, (all, decimal, hex, name) => {
    if (name !== undefined) return XML[name] ?? all;
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal));
  });
