import { randomBytes } from 'node:crypto';
import type { Checksum } from './checksums.ts';
import { S3Error } from './s3-error.ts';

/** Of a bucket; one that never had versions has none, and cannot be brought back to that. */
export const VERSIONING = ['Enabled', 'Suspended'] as const;
export type Versioning = (typeof VERSIONING)[number];

export interface VersionStamp {
  /** Grows with every write; what was written before its bucket had versions has none, and is the oldest. */
  readonly sequence?: number;
  /** None is S3's version `null`: written before versioning was enabled, or while it was suspended. */
  readonly versionId?: string;
}

export interface StoredObject extends VersionStamp {
  readonly blobId: string;
  readonly sizeBytes: number;
  /** With its quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  /** Headers that come back as they were sent: content-type, x-amz-meta-* and such. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum?: Checksum;
}

/** What a DELETE leaves in a bucket with versions: while it is the latest version, there is no object. */
export interface DeleteMarker extends VersionStamp {
  readonly isDeleteMarker: true;
  readonly lastModifiedMs: number;
}

export type Version = StoredObject | DeleteMarker;

export const isDeleteMarker = (version: Version): version is DeleteMarker => 'isDeleteMarker' in version;

export const NULL_VERSION = 'null';
export const versionIdOf = ({ versionId }: VersionStamp): string => versionId ?? NULL_VERSION;
export const sequenceOf = ({ sequence }: VersionStamp): number => sequence ?? 0;

const MAX_SEQUENCE = 2 ** 48 - 1;
const SEQUENCE_DIGITS = 12;
const VERSION_ID = /^[0-9a-f]{32}$/;

const digits = (sequence: number): string => sequence.toString(16).padStart(SEQUENCE_DIGITS, '0');

/** Begins with the sequence, so that a version is found without a search; the rest makes it unlike all others. */
export const createVersionId = (sequence: number): string =>
  digits(sequence) + randomBytes(10).toString('hex');

/**
 * @returns the sequence, or nothing for the version `null`, whose id does not say it.
 * @throws S3Error InvalidArgument for what cannot be a version's id, as S3 does before it looks for one.
 */
export const parseVersionId = (versionId: string): number | undefined => {
  if (versionId === NULL_VERSION) return undefined;
  if (versionId === '') throw new S3Error('InvalidArgument', 'Version id cannot be the empty string');
  if (!VERSION_ID.test(versionId)) throw new S3Error('InvalidArgument', 'Invalid version id specified');
  return Number.parseInt(versionId.slice(0, SEQUENCE_DIGITS), 16);
};

export const bucketRange = (kind: 'o' | 'v', bucket: string) => ({
  gte: `${kind}\0${bucket}\0`,
  // One past every row of the bucket, whose name ends in a zero byte.
  lt: `${kind}\0${bucket}\u0001`,
});

/** The row of a key's object: of its latest version, unless that is a delete marker. */
export const objectRow = (bucket: string, key: string): string => `o\0${bucket}\0${key}`;

/** What begins the rows of all other versions of a key, in an order that keeps the keys' own. */
export const versionRows = (bucket: string, key: string): string =>
  `v\0${bucket}\0${key.replaceAll('\0', '\0\u0002')}\0\u0001`;

/** Newest first. */
export const versionRow = (bucket: string, key: string, sequence: number): string =>
  versionRows(bucket, key) + digits(MAX_SEQUENCE - sequence);

/** Behind all versions of a key: their rows end in hexadecimal digits. */
export const afterVersionRows = (bucket: string, key: string): string => `${versionRows(bucket, key)}g`;

export const keyOfVersionRow = (bucket: string, row: string): string =>
  row.slice(`v\0${bucket}\0`.length, -SEQUENCE_DIGITS - 2).replaceAll('\0\u0002', '\0');
