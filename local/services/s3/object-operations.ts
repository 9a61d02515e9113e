import type { IncomingHttpHeaders } from 'node:http';
import type { StoredObject, WriteCondition } from './object-store.ts';
import { type Operation, readXmlBody, type S3Answer, type S3Request, xmlAnswer } from './operation.ts';
import { parseRange } from './range.ts';
import { receiveBody } from './request-body.ts';
import { S3Error } from './s3-error.ts';
import { elements, parseXml, writeXml } from './xml.ts';

/** Headers of an upload that come back with the object. */
const KEPT = [
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'cache-control',
  'expires',
];
const MAX_DELETES = 1000;

export const putObject: Operation = async ({ request, store, bucket, key }) => {
  store.requireBucket(bucket);
  const { blob, checksum } = await receiveBody(request, store);
  const object = await store.putBlob(bucket, key, blob, {
    headers: keptHeaders(request.headers),
    condition: writeCondition(request.headers),
    ...(checksum === undefined ? {} : { checksum }),
  });
  return { status: 200, headers: { etag: object.etag, ...checksumHeaders(object) } };
};

export const copyObject: Operation = async ({ request, store, bucket, key }) => {
  store.requireBucket(bucket);
  const source = decodeURIComponent(String(request.headers['x-amz-copy-source'])).replace(/^\//, '');
  const slash = source.indexOf('/');
  const from = await findObject({ store, bucket: source.slice(0, slash), key: source.slice(slash + 1) });
  const replaces = request.headers['x-amz-metadata-directive'] === 'REPLACE';
  const blob = await store.writeBlob(store.readBlob(from.blobId));
  const copy = await store.putBlob(bucket, key, blob, {
    headers: replaces ? keptHeaders(request.headers) : from.headers,
    ...(from.checksum === undefined ? {} : { checksum: from.checksum }),
  });
  const LastModified = new Date(copy.lastModifiedMs).toISOString();
  return xmlAnswer(writeXml('CopyObjectResult', { ETag: copy.etag, LastModified }));
};

export const getObject: Operation = async (asked) => {
  const answer = await headObject(asked);
  if (answer.status === 304) return answer;
  const object = await findObject(asked);
  const range = parseRange(asked.request.headers.range, object.sizeBytes);
  if (range === undefined) {
    return object.sizeBytes === 0
      ? { ...answer, body: '' }
      : { ...answer, body: asked.store.readBlob(object.blobId) };
  }
  // The checksum is that of the whole object: a client would hold the part against it.
  const headers = Object.entries(answer.headers ?? {}).filter(
    ([name]) => !name.startsWith('x-amz-checksum-'),
  );
  return {
    status: 206,
    headers: {
      ...Object.fromEntries(headers),
      'content-length': range.end - range.start + 1,
      'content-range': `bytes ${range.start}-${range.end}/${object.sizeBytes}`,
    },
    body: asked.store.readBlob(object.blobId, range),
  };
};

/** HEAD, and all of GET but the body. */
export const headObject: Operation = async (asked) => {
  const { headers } = asked.request;
  const object = await findObject(asked);
  const modified = new Date(object.lastModifiedMs).toUTCString();

  if (headers['if-match'] !== undefined && !matches(headers['if-match'], object)) {
    throw new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }
  const since = headers['if-none-match'] === undefined ? headers['if-modified-since'] : undefined;
  const isKnown =
    (headers['if-none-match'] !== undefined && matches(headers['if-none-match'], object)) ||
    (since !== undefined && Date.parse(modified) <= Date.parse(since));
  if (isKnown) return { status: 304, headers: { etag: object.etag, 'last-modified': modified } };

  return {
    status: 200,
    headers: {
      'content-type': 'binary/octet-stream',
      ...object.headers,
      'content-length': object.sizeBytes,
      'accept-ranges': 'bytes',
      etag: object.etag,
      'last-modified': modified,
      ...(headers['x-amz-checksum-mode'] === 'ENABLED' ? checksumHeaders(object) : {}),
    },
  };
};

export const deleteObject: Operation = async ({ store, bucket, key }) => {
  store.requireBucket(bucket);
  await store.delete(bucket, key);
  return { status: 204 };
};

export const deleteObjects: Operation = async ({ request, store, bucket }): Promise<S3Answer> => {
  store.requireBucket(bucket);
  const { Delete } = parseXml(await readXmlBody(request));
  const keys = elements(Delete, 'Object').map((object) => String(object['Key'] ?? ''));
  if (keys.length === 0 || keys.length > MAX_DELETES || keys.includes('')) {
    throw new S3Error('MalformedXML', `The XML you provided should name 1 to ${MAX_DELETES} keys`);
  }
  for (const key of keys) await store.delete(bucket, key);
  const isQuiet = String((Delete as Record<string, unknown>)['Quiet']) === 'true';
  return xmlAnswer(writeXml('DeleteResult', { Deleted: isQuiet ? [] : keys.map((Key) => ({ Key })) }));
};

/** @throws S3Error NoSuchBucket, NoSuchKey */
export const findObject = async ({
  store,
  bucket,
  key,
}: Pick<S3Request, 'store' | 'bucket' | 'key'>): Promise<StoredObject> => {
  store.requireBucket(bucket);
  const object = await store.get(bucket, key);
  if (object === undefined) throw new S3Error('NoSuchKey', 'The specified key does not exist.');
  return object;
};

export const keptHeaders = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> => {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (KEPT.includes(name) || name.startsWith('x-amz-meta-')) kept[name] = String(value);
  }
  // `aws-chunked` was the framing of the request, not a property of the object.
  const encoding = kept['content-encoding']
    ?.split(',')
    .filter((each) => each.trim() !== 'aws-chunked')
    .join(',');
  delete kept['content-encoding'];
  return encoding ? { ...kept, 'content-encoding': encoding } : kept;
};

export const writeCondition = (headers: IncomingHttpHeaders): WriteCondition => {
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new S3Error('NotImplemented', 'A PUT takes If-None-Match only with the value *');
  }
  return {
    ...(ifNoneMatch === undefined ? {} : { mustNotExist: true }),
    ...(headers['if-match'] === undefined ? {} : { mustMatch: quoted(headers['if-match']) }),
  };
};

const matches = (header: string, { etag }: StoredObject): boolean =>
  header.split(',').some((each) => each.trim() === '*' || quoted(each.trim().replace(/^W\//, '')) === etag);

const quoted = (etag: string): string => (etag.startsWith('"') ? etag : `"${etag}"`);

const checksumHeaders = ({ checksum }: StoredObject): Record<string, string> =>
  checksum === undefined
    ? {}
    : { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, 'x-amz-checksum-type': 'FULL_OBJECT' };
