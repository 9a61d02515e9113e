import { ServingError } from '../errors.ts';
import type { JobObjects } from '../models/job-objects.ts';
import type { S3Objects } from './s3-objects.ts';
import type { S3Put } from './s3-put.ts';

/** Outputs of asynchronous calls as objects in S3. */
export const s3JobOutputs = (put: S3Put): Pick<JobObjects, 'write'> => ({
  write: ({ bucket, key }, body, contentType) => put(bucket, key, body, contentType),
});

/** Inputs as well. */
export const s3JobObjects = (objects: S3Objects, put: S3Put): JobObjects => ({
  ...s3JobOutputs(put),

  async read({ bucket, key }, maxBytes) {
    const object = await objects.get(bucket, key);
    if (object === undefined || object === 'unchanged') {
      throw new ServingError(
        'ValidationError',
        `InputLocation s3://${bucket}/${key} not found: upload the input before the call`,
      );
    }
    if (object.sizeBytes > maxBytes) {
      object.discard();
      throw new ServingError(
        'ValidationError',
        `InputLocation s3://${bucket}/${key} has ${object.sizeBytes} bytes: at most ${maxBytes} are possible; send fewer rows`,
      );
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of object.body) chunks.push(chunk);
    return Buffer.concat(chunks);
  },
});
