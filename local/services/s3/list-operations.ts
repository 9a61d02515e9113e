import {
  encoder,
  isPassedOver,
  optional,
  type Page,
  type Position,
  readMaxKeys,
  readPage,
} from './listing.ts';
import { type Operation, type S3Request, xmlAnswer } from './operation.ts';
import { S3Error } from './s3-error.ts';
import type { StoredObject } from './version.ts';
import { writeXml, type Xml } from './xml.ts';

export const listObjectsV2: Operation = async (request) => {
  const { query, bucket } = request;
  const maxKeys = readMaxKeys(query);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? '';
  const after = token === null ? { last: startAfter, isPrefix: false } : decodeToken(token);
  const page = await readObjects(request, after, maxKeys);
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
  const isPrefix = isPassedOver(marker, { prefix: query.get('prefix') ?? '', delimiter });
  const page = await readObjects(request, { last: marker, isPrefix }, maxKeys);
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

const readObjects = (
  { store, bucket, query }: S3Request,
  after: Position,
  maxKeys: number,
): Promise<Page<StoredObject>> => {
  store.requireBucket(bucket);
  const prefix = query.get('prefix') ?? '';
  const objects = store.list(bucket, { prefix, after: after.last });
  return readPage(objects, { prefix, delimiter: query.get('delimiter') ?? '', after, maxKeys });
};

const describe = ([key, object]: readonly [string, StoredObject], encode: (text: string) => string): Xml => ({
  Key: encode(key),
  LastModified: new Date(object.lastModifiedMs).toISOString(),
  ETag: object.etag,
  Size: object.sizeBytes,
  StorageClass: 'STANDARD',
});

const encodeToken = ({ last, isPrefix }: Position): string =>
  Buffer.from(`${isPrefix ? 'p' : 'k'}${last}`).toString('base64url');

const decodeToken = (token: string): Position => {
  const text = Buffer.from(token, 'base64url').toString();
  if (!/^[pk]/.test(text))
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  return { last: text.slice(1), isPrefix: text.startsWith('p') };
};
