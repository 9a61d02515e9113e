import type { StoredObject } from './object-store.ts';
import { type Operation, queryInteger, type S3Request, xmlAnswer } from './operation.ts';
import { S3Error } from './s3-error.ts';
import { writeXml, type Xml } from './xml.ts';

const MAX_KEYS = 1000;

interface Page {
  readonly contents: readonly (readonly [key: string, object: StoredObject])[];
  readonly commonPrefixes: readonly string[];
  /** Where the next page starts; none when this is the last. */
  readonly next: Position | undefined;
}

/** The last thing listed: a key, or a common prefix whose keys are all to be passed over. */
interface Position {
  readonly last: string;
  readonly isPrefix: boolean;
}

export const listObjectsV2: Operation = async (request) => {
  const { query, bucket } = request;
  const maxKeys = readMaxKeys(query);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? '';
  const after = token === null ? { last: startAfter, isPrefix: false } : decodeToken(token);
  const page = await readPage(request, after, maxKeys);
  const encode = encoder(query);

  return xmlAnswer(
    writeXml('ListBucketResult', {
      Name: bucket,
      Prefix: encode(query.get('prefix') ?? ''),
      Delimiter: optional(query.get('delimiter'), encode),
      MaxKeys: maxKeys,
      EncodingType: query.get('encoding-type') ?? undefined,
      KeyCount: page.contents.length + page.commonPrefixes.length,
      IsTruncated: page.next !== undefined,
      ContinuationToken: token ?? undefined,
      NextContinuationToken: page.next && encodeToken(page.next),
      StartAfter: optional(query.get('start-after'), encode),
      Contents: page.contents.map((entry) => describe(entry, encode)),
      CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })),
    }),
  );
};

/** The first version of the listing, which marks a page's end by a key. */
export const listObjects: Operation = async (request) => {
  const { query, bucket } = request;
  const maxKeys = readMaxKeys(query);
  const marker = query.get('marker') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const isPrefix = delimiter !== '' && marker.endsWith(delimiter);
  const page = await readPage(request, { last: marker, isPrefix }, maxKeys);
  const encode = encoder(query);

  return xmlAnswer(
    writeXml('ListBucketResult', {
      Name: bucket,
      Prefix: encode(query.get('prefix') ?? ''),
      Marker: encode(marker),
      NextMarker: delimiter === '' ? undefined : page.next && encode(page.next.last),
      Delimiter: optional(query.get('delimiter'), encode),
      MaxKeys: maxKeys,
      EncodingType: query.get('encoding-type') ?? undefined,
      IsTruncated: page.next !== undefined,
      Contents: page.contents.map((entry) => describe(entry, encode)),
      CommonPrefixes: page.commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })),
    }),
  );
};

/** Keys and common prefixes count alike towards a page; a group of keys below one prefix counts once. */
const readPage = async (
  { store, bucket, query }: S3Request,
  after: Position,
  maxKeys: number,
): Promise<Page> => {
  store.requireBucket(bucket);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const contents: (readonly [string, StoredObject])[] = [];
  const commonPrefixes: string[] = [];
  if (maxKeys === 0) return { contents, commonPrefixes, next: undefined };

  let position = after;
  for await (const [key, object] of store.list(bucket, { prefix, after: after.last })) {
    if (position.isPrefix && key.startsWith(position.last)) continue;
    if (contents.length + commonPrefixes.length === maxKeys)
      return { contents, commonPrefixes, next: position };

    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end < 0) {
      contents.push([key, object]);
      position = { last: key, isPrefix: false };
    } else {
      const common = key.slice(0, end + delimiter.length);
      commonPrefixes.push(common);
      position = { last: common, isPrefix: true };
    }
  }
  return { contents, commonPrefixes, next: undefined };
};

const readMaxKeys = (query: URLSearchParams): number =>
  queryInteger(query, 'max-keys', { min: 0, max: MAX_KEYS, fallback: MAX_KEYS });

const describe = ([key, object]: readonly [string, StoredObject], encode: (text: string) => string): Xml => ({
  Key: encode(key),
  LastModified: new Date(object.lastModifiedMs).toISOString(),
  ETag: object.etag,
  Size: object.sizeBytes,
  StorageClass: 'STANDARD',
});

/** `encoding-type=url` keeps characters out of the XML that it cannot hold. */
const encoder = (query: URLSearchParams): ((text: string) => string) => {
  const type = query.get('encoding-type');
  if (type === null) return (text) => text;
  if (type !== 'url') throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return (text) => encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+');
};

const optional = (text: string | null, encode: (text: string) => string): string | undefined =>
  text === null ? undefined : encode(text);

const encodeToken = ({ last, isPrefix }: Position): string =>
  Buffer.from(`${isPrefix ? 'p' : 'k'}${last}`).toString('base64url');

const decodeToken = (token: string): Position => {
  const text = Buffer.from(token, 'base64url').toString();
  if (!/^[pk]/.test(text))
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  return { last: text.slice(1), isPrefix: text.startsWith('p') };
};
