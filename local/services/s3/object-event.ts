/** How bytes came to be an object: the second half of S3's event names. */
export type Creation = 'Put' | 'Copy' | 'CompleteMultipartUpload';

/** What happened to one object, told once it is on disk. */
export interface ObjectEvent {
  /** As S3 names it, without its prefix `s3:`. */
  readonly name: `ObjectCreated:${Creation}` | 'ObjectRemoved:Delete' | 'ObjectRemoved:DeleteMarkerCreated';
  readonly bucket: string;
  readonly key: string;
  readonly timeMs: number;
  readonly sizeBytes?: number;
  /** With its quotes. */
  readonly etag?: string;
  readonly versionId?: string;
}

/** Called in the order of the writes, and not waited for: it must not throw. */
export type OnObjectEvent = (event: ObjectEvent) => void;
