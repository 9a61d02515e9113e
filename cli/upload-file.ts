import { createReadStream } from 'node:fs';
import type { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

export interface UploadRequest {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly file: string;
  /** Told how many bytes have arrived so far. */
  readonly onSent: (sentBytes: number) => void;
}

/** The least that S3 takes: progress is known part by part. A file of no more goes up at once. */
const PART_BYTES = 5 * 1024 * 1024;
const PARTS_AT_ONCE = 4;

/** A part that is lost is sent anew, as it is held in memory; an upload that fails leaves nothing behind. */
export const uploadFile = async ({ s3, bucket, key, file, onSent }: UploadRequest): Promise<void> => {
  const upload = new Upload({
    client: s3,
    params: { Bucket: bucket, Key: key, Body: createReadStream(file) },
    partSize: PART_BYTES,
    queueSize: PARTS_AT_ONCE,
  });
  upload.on('httpUploadProgress', ({ loaded = 0 }) => onSent(loaded));
  onSent(0);
  await upload.done();
};
