import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { decodeAwsChunked } from './aws-chunked.ts';
import type { Blob } from './blob-files.ts';
import { announcedAlgorithm, type Checksum, createDigest } from './checksums.ts';
import type { ObjectStore } from './object-store.ts';
import { S3Error } from './s3-error.ts';

/** The most that one PUT may carry (Amazon S3 user guide, "Uploading objects"). */
const MAX_PUT_BYTES = 5 * 1024 ** 3;

export interface ReceivedBody {
  readonly blob: Blob;
  readonly checksum?: Checksum;
}

/**
 * Writes a request's body to the store and verifies all that came with it: its length, Content-MD5,
 * x-amz-content-sha256 and x-amz-checksum-*, in a header or a trailer. What does not hold leaves nothing behind.
 * @throws S3Error BadDigest, XAmzContentSHA256Mismatch, IncompleteBody, EntityTooLarge.
 */
export const receiveBody = async (request: IncomingMessage, store: ObjectStore): Promise<ReceivedBody> => {
  const { headers } = request;
  const algorithm = announcedAlgorithm(headers);
  const digest = algorithm && createDigest(algorithm);
  const declaredSha256 = /^[0-9a-f]{64}$/.exec(String(headers['x-amz-content-sha256'] ?? ''))?.[0];
  const sha256 = declaredSha256 === undefined ? undefined : createHash('sha256');
  const trailers = new Map<string, string>();
  const isChunked =
    String(headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-') ||
    String(headers['content-encoding'] ?? '').includes('aws-chunked');
  const source = isChunked
    ? decodeAwsChunked(request, (name, value) => trailers.set(name, value))
    : (request as AsyncIterable<Buffer>);

  async function* observed(): AsyncGenerator<Buffer> {
    let sizeBytes = 0;
    for await (const chunk of source) {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_PUT_BYTES) {
        throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
      }
      digest?.update(chunk);
      sha256?.update(chunk);
      yield chunk;
    }
  }

  const blob = await store.writeBlob(observed());
  try {
    checkLength(
      blob,
      headers['x-amz-decoded-content-length'] ?? (isChunked ? undefined : headers['content-length']),
    );
    checkMd5(blob, headers['content-md5']);
    if (sha256 !== undefined && sha256.digest('hex') !== declaredSha256) {
      throw new S3Error(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    if (algorithm === undefined || digest === undefined) return { blob };

    const value = digest.value();
    const name = `x-amz-checksum-${algorithm}`;
    const declared = headers[name] ?? trailers.get(name);
    if (declared === undefined)
      throw new S3Error('IncompleteBody', `The request announced a trailer ${name} and did not send it`);
    if (declared !== value) {
      throw new S3Error(
        'BadDigest',
        `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
      );
    }
    return { blob, checksum: { algorithm, value } };
  } catch (error) {
    await store.discardBlob(blob.id);
    throw error;
  }
};

const checkLength = (blob: Blob, declared: string | string[] | undefined): void => {
  if (declared !== undefined && blob.sizeBytes !== Number(declared)) {
    throw new S3Error(
      'IncompleteBody',
      'You did not provide the number of bytes specified by the Content-Length header',
    );
  }
};

const checkMd5 = (blob: Blob, declared: string | string[] | undefined): void => {
  if (declared === undefined) return;
  const md5 = Buffer.from(String(declared), 'base64');
  if (md5.length !== 16) throw new S3Error('InvalidDigest', 'The Content-MD5 you specified is not valid.');
  if (md5.toString('hex') !== blob.md5) {
    throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
};
