import { refused, type S3Requests } from './s3-requests.ts';

/** Writes an object, whole or not at all. */
export type S3Put = (bucket: string, key: string, body: Buffer, contentType: string) => Promise<void>;

export const createS3Put =
  (requests: S3Requests): S3Put =>
  async (bucket, key, body, contentType) => {
    const response = await requests.send({
      action: 's3:PutObject',
      method: 'PUT',
      bucket,
      key,
      headers: { 'content-type': contentType },
      body,
    });
    if (response.statusCode !== 200) throw await refused(response, bucket);
    response.resume();
  };
