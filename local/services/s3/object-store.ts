import type { Readable } from 'node:stream';
import { ClassicLevel } from 'classic-level';
import type { Clock } from '../../../lib/clock.ts';
import { type Blob, type BlobFiles, openBlobFiles } from './blob-files.ts';
import type { Checksum } from './checksums.ts';
import { S3Error } from './s3-error.ts';

export interface StoredObject {
  readonly blobId: string;
  readonly sizeBytes: number;
  /** With its quotes. */
  readonly etag: string;
  readonly lastModifiedMs: number;
  /** Headers that come back as they were sent: content-type, x-amz-meta-* and such. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum?: Checksum;
}

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
  readonly #index: ClassicLevel<string, unknown>;
  readonly #blobs: BlobFiles;
  readonly #now: Clock;
  readonly #buckets = new Map<string, number>();
  /** Conditions are checked and writes made one after the other. */
  #commits: Promise<unknown> = Promise.resolve();

  private constructor(index: ClassicLevel<string, unknown>, blobs: BlobFiles, now: Clock) {
    this.#index = index;
    this.#blobs = blobs;
    this.#now = now;
  }

  /** Takes the index's lock; a second process gets an error with the code LEVEL_DATABASE_NOT_OPEN and its cause. */
  static async open({ directory, now }: { directory: string; now: Clock }): Promise<ObjectStore> {
    const index = new ClassicLevel<string, unknown>(`${directory}/index`, { valueEncoding: 'json' });
    await index.open();
    const store = new ObjectStore(index, await openBlobFiles(`${directory}/blobs`), now);
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

  async deleteBucket(bucket: string): Promise<void> {
    this.requireBucket(bucket);
    for await (const _ of this.list(bucket, {}))
      throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty');
    await this.#index.del(bucketRow(bucket));
    this.#buckets.delete(bucket);
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
  async putBlob(bucket: string, key: string, blob: Blob, options: PutOptions = {}): Promise<StoredObject> {
    const { headers = {}, checksum, condition = {}, etag = `"${blob.md5}"` } = options;
    const object: StoredObject = {
      blobId: blob.id,
      sizeBytes: blob.sizeBytes,
      etag,
      lastModifiedMs: this.#now(),
      headers,
      ...(checksum === undefined ? {} : { checksum }),
    };
    try {
      await this.#commit(async () => {
        this.requireBucket(bucket);
        const before = await this.get(bucket, key);
        checkCondition(condition, before);
        await this.#index.put(objectRow(bucket, key), object);
        if (before !== undefined) await this.#blobs.remove(before.blobId);
      });
    } catch (error) {
      await this.#blobs.remove(blob.id);
      throw error;
    }
    return object;
  }

  async get(bucket: string, key: string): Promise<StoredObject | undefined> {
    return (await this.#index.get(objectRow(bucket, key))) as StoredObject | undefined;
  }

  async delete(bucket: string, key: string): Promise<void> {
    await this.#commit(async () => {
      const before = await this.get(bucket, key);
      if (before === undefined) return;
      await this.#index.del(objectRow(bucket, key));
      await this.#blobs.remove(before.blobId);
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
    await this.#index.put(`u\0${bucket}\0${uploadId}`, upload);
  }

  /** @throws S3Error NoSuchUpload */
  async getUpload(bucket: string, uploadId: string, key: string): Promise<Upload> {
    const upload = (await this.#index.get(`u\0${bucket}\0${uploadId}`)) as Upload | undefined;
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
  async endUpload(bucket: string, uploadId: string): Promise<void> {
    const parts = await this.listParts(uploadId);
    await this.#index.batch([
      { type: 'del', key: `u\0${bucket}\0${uploadId}` },
      ...parts.map(({ partNumber }) => ({ type: 'del' as const, key: partRow(uploadId, partNumber) })),
    ]);
    await Promise.all(parts.map(({ blobId }) => this.#blobs.remove(blobId)));
  }

  async #recover(): Promise<void> {
    const known = new Set<string>();
    for await (const [row, value] of this.#index.iterator()) {
      if (row.startsWith('b\0')) this.#buckets.set(row.slice(2), Number(value));
      else if (row.startsWith('o\0') || row.startsWith('p\0'))
        known.add((value as { blobId: string }).blobId);
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
const objectRow = (bucket: string, key: string): string => `o\0${bucket}\0${key}`;
const partRow = (uploadId: string, partNumber: number): string =>
  `p\0${uploadId}\0${String(partNumber).padStart(5, '0')}`;

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
