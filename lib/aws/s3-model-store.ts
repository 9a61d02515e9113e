import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ServingError } from '../errors.ts';
import type { ModelStore } from '../models/model-store.ts';

export interface S3ModelStoreOptions {
  readonly client: S3Client;
  readonly bucket: string;
  /** Ends with `/`. */
  readonly prefix: string;
}

/** A download may take long, a stalled one may not. */
export const createS3Client = (): S3Client =>
  new S3Client({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2000, socketTimeout: 30_000 },
    // Artifacts may have been uploaded without a checksum; what is damaged does not unpack.
    responseChecksumValidation: 'WHEN_REQUIRED',
  });

/** Artifacts as objects of one bucket, below a prefix. */
export const s3ModelStore = ({ client, bucket, prefix }: S3ModelStoreOptions): ModelStore => ({
  async get(model) {
    try {
      const command = new GetObjectCommand({ Bucket: bucket, Key: prefix + model });
      const { Body, ETag = '', ContentLength = 0 } = await client.send(command);
      const body = Body as AsyncIterable<Uint8Array>;
      return { etag: ETag, sizeBytes: ContentLength, body: translating(body) };
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined;
      throw translate(error);
    }
  },
});

/** The body comes after the answer: a connection that breaks half-way is the store's fault, not the artifact's. */
async function* translating(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw translate(error);
  }
}

const translate = (cause: unknown): ServingError => {
  const { name } = cause as Error;
  const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (name === 'SlowDown' || status === 503 || status === 429) {
    return new ServingError('ServiceUnavailable', 'the model store is busy; try again', { cause });
  }
  if (status === 403) {
    return new ServingError(
      'InternalDependencyException',
      'the endpoint may not read this model: its role needs s3:GetObject on the models prefix, and s3:ListBucket on the bucket (without it S3 answers 403 for a model that does not exist)',
      { cause },
    );
  }
  return new ServingError('InternalDependencyException', 'the model store did not answer; try again', {
    cause,
  });
};
