import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { writeCondition } from './conditions.ts';
import { keptHeaders, versionHeaders } from './object-operations.ts';
import type { ObjectStore, UploadPart } from './object-store.ts';
import { type Operation, queryInteger, readXmlBody, xmlAnswer } from './operation.ts';
import { receiveBody } from './request-body.ts';
import { S3Error } from './s3-error.ts';
import { elements, parseXml, writeXml } from './xml.ts';

/** Amazon S3 user guide, "Multipart upload limits". */
const MAX_PARTS = 10_000;
const MIN_PART_BYTES = 5 * 1024 * 1024;

export const createMultipartUpload: Operation = async ({ request, store, bucket, key }) => {
  store.requireBucket(bucket);
  const UploadId = randomUUID();
  await store.createUpload(bucket, UploadId, { key, headers: keptHeaders(request.headers) });
  return xmlAnswer(writeXml('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId }));
};

export const uploadPart: Operation = async ({ request, store, bucket, key, query }) => {
  const uploadId = query.get('uploadId') ?? '';
  const partNumber = queryInteger(query, 'partNumber', { min: 1, max: MAX_PARTS + 1, fallback: 0 });
  if (partNumber > MAX_PARTS) {
    throw new S3Error(
      'InvalidArgument',
      `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`,
    );
  }
  await store.getUpload(bucket, uploadId, key);
  const { blob, checksum } = await receiveBody(request, store);
  const part = await store.putPart(uploadId, partNumber, blob);
  const checksums =
    checksum === undefined ? {} : { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value };
  return { status: 200, headers: { etag: part.etag, ...checksums } };
};

/** Joins the parts. Checksums were verified part by part; the object itself has none, as it would be a composite. */
export const completeMultipartUpload: Operation = async ({ request, store, bucket, key, query }) => {
  const uploadId = query.get('uploadId') ?? '';
  const upload = await store.getUpload(bucket, uploadId, key);
  const parts = chooseParts(await readXmlBody(request), await store.listParts(uploadId));

  const blob = await store.writeBlob(joined(store, parts));
  const md5 = createHash('md5');
  for (const { etag } of parts) md5.update(Buffer.from(etag.slice(1, -1), 'hex'));
  const object = await store.putBlob(bucket, key, blob, {
    headers: upload.headers,
    condition: writeCondition(request.headers),
    etag: `"${md5.digest('hex')}-${parts.length}"`,
    creation: 'CompleteMultipartUpload',
    uploadId,
  });
  const answer = xmlAnswer(
    writeXml('CompleteMultipartUploadResult', {
      Location: `/${bucket}/${key}`,
      Bucket: bucket,
      Key: key,
      ETag: object.etag,
    }),
  );
  return { ...answer, headers: { ...answer.headers, ...versionHeaders(store, bucket, object) } };
};

export const abortMultipartUpload: Operation = async ({ store, bucket, key, query }) => {
  const uploadId = query.get('uploadId') ?? '';
  await store.getUpload(bucket, uploadId, key);
  await store.endUpload(bucket, uploadId);
  return { status: 204 };
};

export const listParts: Operation = async ({ store, bucket, key, query }) => {
  const uploadId = query.get('uploadId') ?? '';
  await store.getUpload(bucket, uploadId, key);
  const parts = await store.listParts(uploadId);
  const Part = parts.map(({ partNumber, etag, sizeBytes, lastModifiedMs }) => ({
    PartNumber: partNumber,
    LastModified: new Date(lastModifiedMs).toISOString(),
    ETag: etag,
    Size: sizeBytes,
  }));
  return xmlAnswer(
    writeXml('ListPartsResult', { Bucket: bucket, Key: key, UploadId: uploadId, IsTruncated: false, Part }),
  );
};

/** The parts that the request names, checked against those that were uploaded. */
const chooseParts = (xml: string, uploaded: readonly UploadPart[]): readonly UploadPart[] => {
  const named = elements(parseXml(xml)['CompleteMultipartUpload'], 'Part');
  if (named.length === 0) throw new S3Error('MalformedXML', 'The XML you provided names no part');

  const parts = named.map((each) => {
    const part = uploaded.find(({ partNumber }) => partNumber === Number(each['PartNumber']));
    const etag = String(each['ETag'] ?? '')
      .replaceAll('"', '')
      .replaceAll('&quot;', '');
    if (part === undefined || part.etag !== `"${etag}"`) {
      throw new S3Error(
        'InvalidPart',
        `Part ${String(each['PartNumber'])} was not uploaded, or its ETag differs`,
      );
    }
    return part;
  });
  for (const [index, part] of parts.slice(0, -1).entries()) {
    if (part.partNumber >= (parts[index + 1]?.partNumber ?? 0)) {
      throw new S3Error('InvalidPartOrder', 'The list of parts was not in ascending order.');
    }
    if (part.sizeBytes < MIN_PART_BYTES) {
      throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
    }
  }
  return parts;
};

async function* joined(store: ObjectStore, parts: readonly UploadPart[]): AsyncGenerator<Buffer> {
  for (const { blobId, sizeBytes } of parts) {
    if (sizeBytes > 0) yield* store.readBlob(blobId) as Readable & AsyncIterable<Buffer>;
  }
}
