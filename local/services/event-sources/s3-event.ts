import type { ObjectEvent } from '../s3/object-event.ts';

export interface S3EventContext {
  readonly configurationId: string;
  readonly sequencer: string;
  readonly requestId: string;
}

/** S3's event message, version 2.1 (S3 user guide, "Event message structure"). */
export const encodeS3Event = (event: ObjectEvent, context: S3EventContext): string => {
  const { name, bucket, key, timeMs, sizeBytes, etag, versionId } = event;
  const record = {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'us-east-1',
    eventTime: new Date(timeMs).toISOString(),
    eventName: name,
    userIdentity: { principalId: 'AWS:LOCAL' },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': context.requestId, 'x-amz-id-2': context.requestId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: context.configurationId,
      bucket: { name: bucket, ownerIdentity: { principalId: 'LOCAL' }, arn: `arn:aws:s3:::${bucket}` },
      object: {
        key: encodeKey(key),
        size: sizeBytes,
        eTag: etag?.replaceAll('"', ''),
        versionId,
        sequencer: context.sequencer,
      },
    },
  };
  return JSON.stringify({ Records: [record] });
};

/** As forms are encoded, a space as a plus, but for slashes. */
export const encodeKey = (key: string): string =>
  encodeURIComponent(key)
    .replaceAll('%20', '+')
    .replaceAll('%2F', '/')
    .replaceAll(/[!'()~]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
