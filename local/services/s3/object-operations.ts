import type { IncomingHttpHeaders } from 'node:http';
import { matches, preconditionFailed, writeCondition } from './conditions.ts';
import type { Deletion, ObjectStore } from './object-store.ts';
import { type Operation, readXmlBody, type S3Answer, type S3Request, xmlAnswer } from './operation.ts';
import { parseRange } from './range.ts';
import { receiveBody } from './request-body.ts';
import { S3Error } from './s3-error.ts';
import {
  isDeleteMarker,
  type StoredObject,
  type Version,
  type VersionStamp,
  versionIdOf,
} from './version.ts';
import { elements, parseXml, writeXml, type Xml } from './xml.ts';

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

type ObjectName = Pick<S3Request, 'store' | 'bucket' | 'key'>;

export const putObject: Operation = async ({ request, store, bucket, key }) => {
  store.requireBucket(bucket);
  const condition = writeCondition(request.headers);
  const { blob, checksum } = await receiveBody(request, store);
  const object = await store.putBlob(bucket, key, blob, {
    headers: keptHeaders(request.headers),
    condition,
    ...(checksum === undefined ? {} : { checksum }),
  });
  return {
    status: 200,
    headers: { etag: object.etag, ...checksumHeaders(object), ...versionHeaders(store, bucket, object) },
  };
};

export const getObject: Operation = async (asked) => {
  const object = await findObject(asked);
  const answer = describe(asked, object);
  if (answer.status === 304) return answer;
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

export const headObject: Operation = async (asked) => describe(asked, await findObject(asked));

/** HEAD, and all of GET but the body. */
const describe = ({ request, store, bucket }: S3Request, object: StoredObject): S3Answer => {
  const { headers } = request;
  const version = versionHeaders(store, bucket, object);
  const modified = new Date(object.lastModifiedMs).toUTCString();

  if (headers['if-match'] !== undefined && !matches(headers['if-match'], object)) throw preconditionFailed();
  const since = headers['if-none-match'] === undefined ? headers['if-modified-since'] : undefined;
  const isKnown =
    (headers['if-none-match'] !== undefined && matches(headers['if-none-match'], object)) ||
    (since !== undefined && Date.parse(modified) <= Date.parse(since));
  if (isKnown) return { status: 304, headers: { etag: object.etag, 'last-modified': modified, ...version } };

  return {
    status: 200,
    headers: {
      'content-type': 'binary/octet-stream',
      ...object.headers,
      ...version,
      'content-length': object.sizeBytes,
      'accept-ranges': 'bytes',
      etag: object.etag,
      'last-modified': modified,
      ...(headers['x-amz-checksum-mode'] === 'ENABLED' ? checksumHeaders(object) : {}),
    },
  };
};

export const deleteObject: Operation = async ({ store, bucket, key, query }) => {
  const deletion = await store.delete(bucket, key, query.get('versionId') ?? undefined);
  const { versionId } = deletion;
  return {
    status: 204,
    headers: {
      ...(deletion.isDeleteMarker ? { 'x-amz-delete-marker': 'true' } : {}),
      ...(versionId === undefined ? {} : { 'x-amz-version-id': versionId }),
    },
  };
};

interface NamedVersion {
  readonly key: string;
  readonly versionId: string | undefined;
}

export const deleteObjects: Operation = async ({ request, store, bucket }): Promise<S3Answer> => {
  store.requireBucket(bucket);
  const { Delete } = parseXml(await readXmlBody(request));
  const named = elements(Delete, 'Object').map((object) => ({
    key: String(object['Key'] ?? ''),
    versionId: object['VersionId'] === undefined ? undefined : String(object['VersionId']),
  }));
  if (named.length === 0 || named.length > MAX_DELETES || named.some(({ key }) => key === '')) {
    throw new S3Error('MalformedXML', `The XML you provided should name 1 to ${MAX_DELETES} keys`);
  }
  const isQuiet = String((Delete as Record<string, unknown>)['Quiet']) === 'true';
  const Deleted: Xml[] = [];
  const Errors: Xml[] = [];
  for (const each of named) {
    try {
      const deletion = await store.delete(bucket, each.key, each.versionId);
      if (!isQuiet) Deleted.push(describeDeletion(each, deletion));
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      Errors.push({ Key: each.key, VersionId: each.versionId, Code: error.code, Message: error.message });
    }
  }
  return xmlAnswer(writeXml('DeleteResult', { Deleted, Error: Errors }));
};

const describeDeletion = ({ key, versionId }: NamedVersion, deletion: Deletion): Xml => ({
  Key: key,
  VersionId: versionId,
  DeleteMarker: deletion.isDeleteMarker ? true : undefined,
  DeleteMarkerVersionId: deletion.isDeleteMarker ? deletion.versionId : undefined,
});

/** @throws S3Error NoSuchBucket, and as findCurrent and findVersion do. */
const findObject = async ({ store, bucket, key, query }: S3Request): Promise<StoredObject> => {
  store.requireBucket(bucket);
  const versionId = query.get('versionId');
  return versionId === null
    ? findCurrent({ store, bucket, key })
    : findVersion({ store, bucket, key, versionId });
};

/** @throws S3Error NoSuchKey */
export const findCurrent = async ({ store, bucket, key }: ObjectName): Promise<StoredObject> => {
  const object = (await store.get(bucket, key)) ?? (await store.getLatest(bucket, key));
  if (object !== undefined && !isDeleteMarker(object)) return object;
  const headers = object === undefined ? {} : deleteMarkerHeaders(object);
  throw new S3Error('NoSuchKey', 'The specified key does not exist.', { headers });
};

/** @throws S3Error NoSuchVersion, MethodNotAllowed for a delete marker. */
export const findVersion = async ({
  store,
  bucket,
  key,
  versionId,
}: ObjectName & { readonly versionId: string }): Promise<StoredObject> => {
  const version = await store.getVersion(bucket, key, versionId);
  if (version === undefined) throw new S3Error('NoSuchVersion', 'The specified version does not exist.');
  if (!isDeleteMarker(version)) return version;
  const headers = {
    ...deleteMarkerHeaders(version),
    allow: 'DELETE',
    'last-modified': new Date(version.lastModifiedMs).toUTCString(),
  };
  throw new S3Error('MethodNotAllowed', 'The specified method is not allowed against this resource.', {
    headers,
  });
};

const deleteMarkerHeaders = (marker: VersionStamp): Readonly<Record<string, string>> => ({
  'x-amz-delete-marker': 'true',
  'x-amz-version-id': versionIdOf(marker),
});

/** Nothing in a bucket that never had versions. */
export const versionHeaders = (
  store: ObjectStore,
  bucket: string,
  version: Version,
  name = 'x-amz-version-id',
): Readonly<Record<string, string>> =>
  store.versioning(bucket) === undefined ? {} : { [name]: versionIdOf(version) };

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

const checksumHeaders = ({ checksum }: StoredObject): Record<string, string> =>
  checksum === undefined
    ? {}
    : { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, 'x-amz-checksum-type': 'FULL_OBJECT' };
