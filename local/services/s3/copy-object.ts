import type { IncomingHttpHeaders } from 'node:http';
import { checkCopySource, writeCondition } from './conditions.ts';
import { findCurrent, findVersion, keptHeaders, versionHeaders } from './object-operations.ts';
import type { ObjectStore } from './object-store.ts';
import { type Operation, xmlAnswer } from './operation.ts';
import { S3Error } from './s3-error.ts';
import type { StoredObject } from './version.ts';
import { writeXml } from './xml.ts';

interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

export const copyObject: Operation = async ({ request, store, bucket, key }) => {
  const { headers } = request;
  store.requireBucket(bucket);
  const source = parseCopySource(String(headers['x-amz-copy-source']));
  const replaces = readDirective(headers) === 'REPLACE';
  if (source.bucket === bucket && source.key === key && source.versionId === undefined && !replaces) {
    throw new S3Error(
      'InvalidRequest',
      'This copy request is illegal because it is trying to copy an object to itself without changing the ' +
        "object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const from = await findSource(store, source);
  checkCopySource(headers, from);
  const condition = writeCondition(headers);

  const blob = await store.writeBlob(from.sizeBytes === 0 ? Buffer.alloc(0) : store.readBlob(from.blobId));
  const copy = await store.putBlob(bucket, key, blob, {
    headers: replaces ? keptHeaders(headers) : from.headers,
    condition,
    creation: 'Copy',
    ...(from.checksum === undefined ? {} : { checksum: from.checksum }),
  });
  const LastModified = new Date(copy.lastModifiedMs).toISOString();
  const answer = xmlAnswer(writeXml('CopyObjectResult', { ETag: copy.etag, LastModified }));
  return {
    ...answer,
    headers: {
      ...answer.headers,
      ...versionHeaders(store, bucket, copy),
      ...versionHeaders(store, source.bucket, from, 'x-amz-copy-source-version-id'),
    },
  };
};

/** `[/]bucket/key[?versionId=id]`, percent-encoded but for the question mark: one in a key is `%3F`. */
const parseCopySource = (header: string): CopySource => {
  const [, bucket = '', encodedKey = '', versionId] =
    /^\/?([^/]+)\/(.+?)(?:\?versionId=([^?]*))?$/s.exec(header) ?? [];
  const invalid = (cause?: unknown): S3Error =>
    new S3Error(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      {
        cause,
      },
    );
  if (encodedKey === '') {
    // Some clients encode the slashes as well.
    if (!/%2F/i.test(header)) throw invalid();
    return parseCopySource(header.replaceAll(/%2F/gi, '/'));
  }
  try {
    return {
      bucket: decodeURIComponent(bucket),
      key: decodeURIComponent(encodedKey),
      versionId: versionId && decodeURIComponent(versionId),
    };
  } catch (cause) {
    throw invalid(cause);
  }
};

const readDirective = (headers: IncomingHttpHeaders): 'COPY' | 'REPLACE' => {
  const directive = headers['x-amz-metadata-directive'] ?? 'COPY';
  if (directive === 'COPY' || directive === 'REPLACE') return directive;
  throw new S3Error('InvalidArgument', 'Unknown metadata directive.');
};

const findSource = async (
  store: ObjectStore,
  { bucket, key, versionId }: CopySource,
): Promise<StoredObject> => {
  store.requireBucket(bucket);
  if (versionId === undefined) return findCurrent({ store, bucket, key });
  return findVersion({ store, bucket, key, versionId }).catch((error: unknown) => {
    if (!(error instanceof S3Error) || error.code !== 'MethodNotAllowed') throw error;
    throw new S3Error(
      'InvalidRequest',
      'The source of a copy request may not specifically refer to a delete marker by version id.',
      { cause: error },
    );
  });
};
