import type { Readable } from 'node:stream';
import { ClassicLevel } from 'classic-level';
import type { Clock } from '../../../lib/clock.ts';
import { type Blob, type BlobFiles, openBlobFiles } from './blob-files.ts';
import type { Checksum } from './checksums.ts';
import type { Creation, OnObjectEvent } from './object-event.ts';
import { S3Error } from './s3-error.ts';
import {
  createVersionId,
  isDeleteMarker,
  NULL_VERSION,
  objectRow,
  type StoredObject,
  sequenceOf,
  type Version,
  type Versioning,
  type VersionStamp,
} from './version.ts';
import {
  type Change,
  type Index,
  type ListedVersion,
  VersionHistory,
  type VersionMarker,
} from './version-history.ts';

/** What must hold of the object that is there, as If-Match and If-None-Match say. */
export interface WriteCondition {
  readonly mustNotExist?: boolean;
  readonly mustMatch?: string;
}

export interface PutOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly checksum?: Checksum;
  readonly condition?: WriteCondition;
  /** Where it is not the MD5 of the bytes (multipart uploads). */
  readonly etag?: string;
  /** `Put` unless given. */
  readonly creation?: Creation;
  /** The upload that the object is made of: it ends with the same write. */
  readonly uploadId?: string;
}

/** What a deletion did, where the bucket has versions or one was named. */
export interface Deletion {
  /** Of the version that was removed, or of the delete marker that was made. */
  readonly versionId?: string;
  readonly isDeleteMarker: boolean;
}

export interface ObjectStoreOptions {
  readonly directory: string;
  readonly now: Clock;
  /** Told of every object that was made or deleted. */
  readonly onObjectEvent?: OnObjectEvent;
}

export interface UploadPart {
  readonly partNumber: number;
  readonly blobId: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly lastModifiedMs: number;
}

export interface Upload {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Buckets and objects on disk: an ordered index (LevelDB) beside files of bytes. An object is there when the index
 * names its bytes, which is one atomic write: a crash leaves the old object or the new one. Keys are never paths.
 */
export class ObjectStore {
  readonly #index: Index;
  readonly #history: VersionHistory;
  readonly #blobs: BlobFiles;
  readonly #now: Clock;
  readonly #onObjectEvent: OnObjectEvent;
  readonly #buckets = new Map<string, number>();
  readonly #versioning = new Map<string, Versioning>();
  /** The highest that a version has. */
  #sequence = 0;
  /** Conditions are checked and writes made one after the other. */
  #commits: Promise<unknown> = Promise.resolve();

  private constructor(
    index: Index,
    blobs: BlobFiles,
    { now, onObjectEvent = () => undefined }: ObjectStoreOptions,
  ) {
    this.#index = index;
    this.#history = new VersionHistory(index);
    this.#blobs = blobs;
    this.#now = now;
    this.#onObjectEvent = onObjectEvent;
  }

  /** Takes the index's lock; a second process gets an error with the code LEVEL_DATABASE_NOT_OPEN and its cause. */
  static async open(options: ObjectStoreOptions): Promise<ObjectStore> {
    const { directory } = options;
    const index = new ClassicLevel<string, unknown>(`${directory}/index`, { valueEncoding: 'json' });
    await index.open();
    const store = new ObjectStore(index, await openBlobFiles(`${directory}/blobs`), options);
    await store.#recover();
    return store;
  }

  close(): Promise<void> {
    return this.#index.close();
  }

  get buckets(): ReadonlyMap<string, number> {
    return this.#buckets;
  }

  /** Does nothing when it is there already. */
  async createBucket(bucket: string): Promise<void> {
    if (this.#buckets.has(bucket)) return;
    const createdMs = this.#now();
    await this.#index.put(bucketRow(bucket), createdMs);
    this.#buckets.set(bucket, createdMs);
  }

  deleteBucket(bucket: string): Promise<void> {
    return this.#commit(async () => {
      this.requireBucket(bucket);
      if (!(await this.#history.isEmpty(bucket))) {
        throw new S3Error(
          'BucketNotEmpty',
          'The bucket you tried to delete is not empty: all versions and delete markers must be deleted first',
        );
      }
      await this.#index.batch([
        { type: 'del', key: bucketRow(bucket) },
        { type: 'del', key: versioningRow(bucket) },
      ]);
      this.#buckets.delete(bucket);
      this.#versioning.delete(bucket);
    });
  }

  versioning(bucket: string): Versioning | undefined {
    return this.#versioning.get(bucket);
  }

  setVersioning(bucket: string, versioning: Versioning): Promise<void> {
    return this.#commit(async () => {
      this.requireBucket(bucket);
      await this.#index.put(versioningRow(bucket), versioning);
      this.#versioning.set(bucket, versioning);
    });
  }

  requireBucket(bucket: string): void {
    if (!this.#buckets.has(bucket))
      throw new S3Error('NoSuchBucket', `The specified bucket does not exist: ${bucket}`);
  }

  writeBlob(body: AsyncIterable<Uint8Array> | Uint8Array): Promise<Blob> {
    return this.#blobs.write(body);
  }

  discardBlob(id: string): Promise<void> {
    return this.#blobs.remove(id);
  }

  readBlob(id: string, range?: { readonly start: number; readonly end: number }): Readable {
    return this.#blobs.read(id, range);
  }

  async put(bucket: string, key: string, body: Uint8Array, options: PutOptions = {}): Promise<StoredObject> {
    return this.putBlob(bucket, key, await this.writeBlob(body), options);
  }

  /** Makes written bytes an object; when the condition does not hold, they are deleted. */
  putBlob(bucket: string, key: string, blob: Blob, options: PutOptions = {}): Promise<StoredObject> {
    return this.#commit(async () => {
      const object = await this.#place(bucket, key, blob, options).catch(async (error: unknown) => {
        await this.#blobs.remove(blob.id);
        throw error;
      });
      const { sizeBytes, lastModifiedMs: timeMs, etag } = object;
      const name = `ObjectCreated:${options.creation ?? 'Put'}` as const;
      this.#onObjectEvent({ name, bucket, key, timeMs, sizeBytes, etag, ...versionOf(object) });
      return object;
    });
  }

  async get(bucket: string, key: string): Promise<StoredObject | undefined> {
    return (await this.#index.get(objectRow(bucket, key))) as StoredObject | undefined;
  }

  /** What was written last, be it a delete marker. */
  getLatest(bucket: string, key: string): Promise<Version | undefined> {
    return this.#history.latest(bucket, key);
  }

  /** @throws S3Error InvalidArgument for what is no version's id. */
  getVersion(bucket: string, key: string, versionId: string): Promise<Version | undefined> {
    return this.#history.find(bucket, key, versionId);
  }

  listVersions(
    bucket: string,
    options: { readonly prefix: string; readonly after?: VersionMarker },
  ): AsyncGenerator<readonly [key: string, listed: ListedVersion]> {
    return this.#history.list(bucket, options);
  }

  /** Removes a version; without a name, the only one there is, or in a bucket with versions makes a delete marker. */
  delete(bucket: string, key: string, versionId?: string): Promise<Deletion> {
    return this.#commit(async () => {
      this.requireBucket(bucket);
      if (versionId !== undefined || !this.#versioning.has(bucket))
        return this.#remove(bucket, key, versionId);

      const marker = { isDeleteMarker: true, lastModifiedMs: this.#now(), ...this.#stamp(bucket) } as const;
      await this.#write(await this.#history.planPut(bucket, key, marker));
      const made = { versionId: NULL_VERSION, ...versionOf(marker) };
      const timeMs = marker.lastModifiedMs;
      this.#onObjectEvent({ name: 'ObjectRemoved:DeleteMarkerCreated', bucket, key, timeMs, ...made });
      return { ...made, isDeleteMarker: true };
    });
  }

  /** Keys in the order of their UTF-8 bytes, as S3 lists them. */
  async *list(
    bucket: string,
    { prefix = '', after = '', from = '' }: { prefix?: string; after?: string; from?: string },
  ): AsyncGenerator<readonly [key: string, object: StoredObject]> {
    const first = objectRow(bucket, '');
    const lower = [prefix, from].reduce((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0 ? b : a,
    );
    const isAfter = after !== '' && Buffer.compare(Buffer.from(after), Buffer.from(lower)) >= 0;
    const start = isAfter ? { gt: first + after } : { gte: first + lower };
    // One past every row of the bucket: rows end in the key, and the bucket's name in a zero byte.
    for await (const [row, value] of this.#index.iterator({ ...start, lt: `o\0${bucket}\u0001` })) {
      const key = row.slice(first.length);
      if (!key.startsWith(prefix)) return;
      yield [key, value as StoredObject];
    }
  }

  async createUpload(bucket: string, uploadId: string, upload: Upload): Promise<void> {
    await this.#index.put(uploadRow(bucket, uploadId), upload);
  }

  /** @throws S3Error NoSuchUpload */
  async getUpload(bucket: string, uploadId: string, key: string): Promise<Upload> {
    const upload = (await this.#index.get(uploadRow(bucket, uploadId))) as Upload | undefined;
    if (upload?.key === key) return upload;
    throw new S3Error(
      'NoSuchUpload',
      'The specified upload does not exist. It may have been aborted or completed.',
    );
  }

  async putPart(uploadId: string, partNumber: number, blob: Blob): Promise<UploadPart> {
    const row = partRow(uploadId, partNumber);
    const part: UploadPart = {
      partNumber,
      blobId: blob.id,
      sizeBytes: blob.sizeBytes,
      etag: `"${blob.md5}"`,
      lastModifiedMs: this.#now(),
    };
    await this.#commit(async () => {
      const before = (await this.#index.get(row)) as UploadPart | undefined;
      await this.#index.put(row, part);
      if (before !== undefined) await this.#blobs.remove(before.blobId);
    });
    return part;
  }

  async listParts(uploadId: string): Promise<readonly UploadPart[]> {
    const range = { gte: partRow(uploadId, 0), lte: partRow(uploadId, 99_999) };
    return (await this.#index.values(range).all()) as UploadPart[];
  }

  /** Forgets an upload and deletes the bytes of its parts. */
  endUpload(bucket: string, uploadId: string): Promise<void> {
    return this.#commit(async () => this.#write(await this.#planEndOfUpload(bucket, uploadId)));
  }

  async #place(
    bucket: string,
    key: string,
    blob: Blob,
    { headers = {}, checksum, condition = {}, etag = `"${blob.md5}"`, uploadId }: PutOptions,
  ): Promise<StoredObject> {
    this.requireBucket(bucket);
    if (uploadId !== undefined) await this.getUpload(bucket, uploadId, key);
    checkCondition(condition, await this.get(bucket, key));
    const object: StoredObject = {
      blobId: blob.id,
      sizeBytes: blob.sizeBytes,
      etag,
      lastModifiedMs: this.#now(),
      headers,
      ...(checksum === undefined ? {} : { checksum }),
      ...this.#stamp(bucket),
    };
    const put = await this.#history.planPut(bucket, key, object);
    const end = uploadId === undefined ? undefined : await this.#planEndOfUpload(bucket, uploadId);
    await this.#write({
      rows: [...put.rows, ...(end?.rows ?? [])],
      freedBlobs: [...put.freedBlobs, ...(end?.freedBlobs ?? [])],
    });
    return object;
  }

  async #remove(bucket: string, key: string, versionId: string | undefined): Promise<Deletion> {
    const named = versionId === undefined ? {} : { versionId };
    const version = await this.#history.find(bucket, key, versionId ?? NULL_VERSION);
    if (version === undefined) return { ...named, isDeleteMarker: false };
    await this.#write(await this.#history.planRemove(bucket, key, version));
    this.#onObjectEvent({ name: 'ObjectRemoved:Delete', bucket, key, timeMs: this.#now(), ...named });
    return { ...named, isDeleteMarker: isDeleteMarker(version) };
  }

  async #planEndOfUpload(bucket: string, uploadId: string): Promise<Change> {
    const parts = await this.listParts(uploadId);
    return {
      rows: [
        uploadRow(bucket, uploadId),
        ...parts.map(({ partNumber }) => partRow(uploadId, partNumber)),
      ].map((key) => ({ type: 'del', key })),
      freedBlobs: parts.map(({ blobId }) => blobId),
    };
  }

  #stamp(bucket: string): VersionStamp {
    const versioning = this.#versioning.get(bucket);
    if (versioning === undefined) return {};
    const sequence = ++this.#sequence;
    return versioning === 'Suspended' ? { sequence } : { sequence, versionId: createVersionId(sequence) };
  }

  /** Once the rows are written it is done: bytes that could not be deleted are swept at the next start. */
  async #write({ rows, freedBlobs }: Change): Promise<void> {
    await this.#index.batch([...rows]);
    await Promise.allSettled(freedBlobs.map((id) => this.#blobs.remove(id)));
  }

  async #recover(): Promise<void> {
    const known = new Set<string>();
    for await (const [row, value] of this.#index.iterator()) {
      if (row.startsWith('b\0')) this.#buckets.set(row.slice(2), Number(value));
      else if (row.startsWith('s\0')) this.#versioning.set(row.slice(2), value as Versioning);
      else if (/^[opv]\0/.test(row)) {
        const { blobId, ...stamp } = value as VersionStamp & { readonly blobId?: string };
        if (blobId !== undefined) known.add(blobId);
        this.#sequence = Math.max(this.#sequence, sequenceOf(stamp));
      }
    }
    await this.#blobs.sweep((id) => known.has(id));
  }

  #commit<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#commits.then(work);
    this.#commits = result.catch(() => undefined);
    return result;
  }
}

const bucketRow = (bucket: string): string => `b\0${bucket}`;
const versioningRow = (bucket: string): string => `s\0${bucket}`;
const uploadRow = (bucket: string, uploadId: string): string => `u\0${bucket}\0${uploadId}`;
const partRow = (uploadId: string, partNumber: number): string =>
  `p\0${uploadId}\0${String(partNumber).padStart(5, '0')}`;

const versionOf = ({ versionId }: VersionStamp): { versionId?: string } =>
  versionId === undefined ? {} : { versionId };

const checkCondition = (
  { mustNotExist, mustMatch }: WriteCondition,
  before: StoredObject | undefined,
): void => {
  if (mustMatch !== undefined && before === undefined) {
    throw new S3Error('NoSuchKey', 'The specified key does not exist.');
  }
  if ((mustNotExist && before !== undefined) || (mustMatch !== undefined && before?.etag !== mustMatch)) {
    throw new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  }
};
