import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  headBucket,
  listBuckets,
} from './bucket-operations.ts';
import { copyObject } from './copy-object.ts';
import { listObjects, listObjectsV2 } from './list-operations.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listParts,
  uploadPart,
} from './multipart-operations.ts';
import { deleteObject, deleteObjects, getObject, headObject, putObject } from './object-operations.ts';
import { ObjectStore, type ObjectStoreOptions } from './object-store.ts';
import type { Operation, S3Answer, S3Request } from './operation.ts';
import { S3Error } from './s3-error.ts';
import { getBucketVersioning, listObjectVersions, putBucketVersioning } from './version-operations.ts';
import { writeXml } from './xml.ts';

const MAX_KEY_BYTES = 1024;

export interface S3Service {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** The same storage without HTTP between. */
  readonly store: ObjectStore;
  close(): Promise<void>;
}

/** Another process has the folder open. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

/**
 * S3 on files, path style, as an unchanged SDK needs it. Not as on AWS: signatures are not verified (the expiry of
 * presigned URLs is), and there are no tags, policies or ACLs: those answer NotImplemented.
 * @throws FolderInUse when another process has the folder open; the lock goes with that process, however it ends.
 */
export const openS3 = async (options: ObjectStoreOptions): Promise<S3Service> => {
  const { directory, now } = options;
  const store = await ObjectStore.open(options).catch((cause: unknown) => {
    const { code } = ((cause as Error).cause ?? cause) as NodeJS.ErrnoException;
    if (code !== 'LEVEL_LOCKED') throw cause;
    throw new FolderInUse(`${directory} is served by another process already`, { cause });
  });

  const answer = async (request: IncomingMessage): Promise<S3Answer> => {
    const asked = parseRequest(request, store);
    checkExpiry(asked.query, now());
    return chooseOperation(asked)(asked);
  };

  return {
    store,
    close: () => store.close(),
    handle: (request, response) => {
      const requestId = randomUUID();
      answer(request)
        .catch((error: unknown) => encodeError(error, request, requestId))
        .then((result) => send(result, { request, response, requestId }))
        // The client went away while it was being answered, or the disk failed under a body: nobody is left to tell.
        .catch(() => response.destroy());
    },
  };
};

const parseRequest = (request: IncomingMessage, store: ObjectStore): S3Request => {
  const url = request.url ?? '/';
  const question = url.indexOf('?');
  const path = question < 0 ? url : url.slice(0, question);
  const [, bucket = '', encodedKey = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  const key = decodeKey(encodedKey);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error('KeyTooLongError', 'Your key is too long');
  return {
    request,
    method: request.method ?? 'GET',
    bucket,
    key,
    // A plus sign in a query is a space to URLSearchParams; signers write %20, so a bare plus is meant as one.
    query: new URLSearchParams(question < 0 ? '' : url.slice(question + 1).replaceAll('+', '%2B')),
    store,
  };
};

const decodeKey = (encoded: string): string => {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new S3Error('InvalidArgument', "Couldn't parse the specified URI.", { cause });
  }
};

const SERVICE: Readonly<Record<string, Operation>> = { GET: listBuckets };
const BUCKET: Readonly<Record<string, Operation>> = {
  PUT: createBucket,
  HEAD: headBucket,
  DELETE: deleteBucket,
};
const OBJECT: Readonly<Record<string, Operation>> = {
  PUT: putObject,
  GET: getObject,
  HEAD: headObject,
  DELETE: deleteObject,
};
const UPLOAD: Readonly<Record<string, Operation>> = {
  PUT: uploadPart,
  POST: completeMultipartUpload,
  DELETE: abortMultipartUpload,
  GET: listParts,
};

/** Sub-resources that S3 has and this one has not: without this list they would look like plain objects. */
const UNKNOWN_SUBRESOURCE =
  /^(acl|accelerate|analytics|attributes|cors|encryption|intelligent-tiering|inventory|legal-hold|lifecycle|logging|metrics|notification|object-lock|ownershipControls|policy|policyStatus|publicAccessBlock|replication|requestPayment|restore|retention|select|tagging|torrent|uploads|versioning|versions|website)$/;

const chooseOperation = ({ method, bucket, key, query, request }: S3Request): Operation => {
  if (method === 'POST' && key !== '' && query.has('uploads')) return createMultipartUpload;
  if (method === 'POST' && key === '' && query.has('delete')) return deleteObjects;
  if (method === 'GET' && bucket !== '' && key === '' && query.has('location')) return getBucketLocation;
  const ofVersions = key === '' && bucket !== '' ? versionOperation(method, query) : undefined;
  if (ofVersions !== undefined) return ofVersions;
  const unknown = [...query.keys()].find((name) => UNKNOWN_SUBRESOURCE.test(name));
  if (unknown !== undefined) throw new S3Error('NotImplemented', `The local S3 has no ${method} ?${unknown}`);

  const found = lookUp({ method, bucket, key, query, request });
  if (found === undefined) throw new S3Error('MethodNotAllowed', `The local S3 has no ${method} here`);
  return found;
};

const versionOperation = (method: string, query: URLSearchParams): Operation | undefined => {
  if (method === 'GET' && query.has('versions')) return listObjectVersions;
  if (!query.has('versioning')) return undefined;
  return { GET: getBucketVersioning, PUT: putBucketVersioning }[method];
};

const lookUp = ({ method, bucket, key, query, request }: Omit<S3Request, 'store'>): Operation | undefined => {
  if (bucket === '') return SERVICE[method];
  if (key === '') {
    if (method === 'GET') return query.get('list-type') === '2' ? listObjectsV2 : listObjects;
    return BUCKET[method];
  }
  if (method === 'PUT' && query.has('versionId')) {
    throw new S3Error('InvalidArgument', 'This operation does not accept a version-id.');
  }
  const copies = request.headers['x-amz-copy-source'] !== undefined;
  if (query.has('uploadId')) {
    if (copies) throw new S3Error('NotImplemented', 'The local S3 has no UploadPartCopy');
    return UPLOAD[method];
  }
  return method === 'PUT' && copies ? copyObject : OBJECT[method];
};

/** Presigned URLs of signature version 4 (a date and how long it holds) and 2 (the second at which it ends). */
const checkExpiry = (query: URLSearchParams, nowMs: number): void => {
  const expired = new S3Error('AccessDenied', 'Request has expired');
  if (query.has('AWSAccessKeyId') && nowMs > 1000 * Number(query.get('Expires'))) throw expired;

  const [, y, mo, d, h, mi, s] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Amz-Date') ?? '') ?? [];
  const seconds = query.get('X-Amz-Expires');
  if (seconds === null || y === undefined) return;
  const signedMs = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
  if (nowMs > signedMs + 1000 * Number(seconds)) throw expired;
};

const encodeError = (error: unknown, request: IncomingMessage, requestId: string): S3Answer => {
  const known =
    error instanceof S3Error ? error : new S3Error('InternalError', 'We encountered an internal error.');
  const Resource = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const content = { Code: known.code, Message: known.message, Resource, RequestId: requestId };
  return {
    status: known.status,
    headers: { 'content-type': 'application/xml', ...known.headers },
    body: writeXml('Error', content, { namespace: '' }),
  };
};

const send = async (
  { status, headers, body = '' }: S3Answer,
  { request, response, requestId }: { request: IncomingMessage; response: ServerResponse; requestId: string },
): Promise<void> => {
  // What is left of a refused body is read and dropped, or the connection could not be used again.
  request.resume();
  response.writeHead(status, { ...headers, 'x-amz-request-id': requestId });
  if (typeof body === 'string') response.end(request.method === 'HEAD' ? undefined : body);
  else await pipeline(body, response);
};
