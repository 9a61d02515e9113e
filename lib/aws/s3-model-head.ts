import type { ModelObjects } from '../management/model-objects.ts';
import { explain, MAX_KEY_BYTES, type S3Requests } from './s3-requests.ts';

export interface S3Place {
  readonly bucket: string;
  /** Ends with `/`. */
  readonly prefix: string;
}

/** Of its metadata: says which version a rollback has brought back. */
export const RESTORED_FROM = 'restored-from';

/** What is known of a model's object without reading it. */
export const s3ModelHead =
  (requests: S3Requests, { bucket, prefix }: S3Place): ModelObjects['head'] =>
  async (model) => {
    const key = prefix + model;
    if (Buffer.byteLength(key) > MAX_KEY_BYTES) return undefined;
    const response = await requests.send({ action: 's3:GetObject', method: 'HEAD', bucket, key });
    response.resume();
    const { statusCode, headers } = response;
    if (statusCode === 404) return undefined;
    // There is no body that would say more.
    if (statusCode !== 200) throw explain(statusCode, '', bucket);
    const versionId = headers['x-amz-version-id'];
    const restoredFrom = headers[`x-amz-meta-${RESTORED_FROM}`];
    return {
      model,
      sizeBytes: Number(headers['content-length'] ?? 0),
      etag: headers.etag ?? '',
      modifiedAtMs: Date.parse(headers['last-modified'] ?? '') || 0,
      ...(typeof versionId === 'string' ? { versionId } : {}),
      ...(typeof restoredFrom === 'string' ? { restoredFrom } : {}),
    };
  };
