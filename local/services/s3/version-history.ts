import type { BatchOperation, ClassicLevel } from 'classic-level';
import {
  afterVersionRows,
  bucketRange,
  isDeleteMarker,
  keyOfVersionRow,
  objectRow,
  parseVersionId,
  type StoredObject,
  sequenceOf,
  type Version,
  versionIdOf,
  versionRow,
  versionRows,
} from './version.ts';

export type Index = ClassicLevel<string, unknown>;
type Snapshot = ReturnType<Index['snapshot']>;

/** What one atomic write does to the index, and the bytes that no row names any more after it. */
export interface Change {
  readonly rows: readonly BatchOperation<Index, string, unknown>[];
  readonly freedBlobs: readonly string[];
}

export interface ListedVersion {
  readonly version: Version;
  readonly isLatest: boolean;
}

/** Where a listing goes on: behind all versions of a key, or behind that of a sequence. */
export interface VersionMarker {
  readonly key: string;
  readonly sequence?: number;
}

/**
 * The versions of keys. The latest is the key's object row, as it is without versions, so that reading and listing
 * objects costs nothing more; all others, and delete markers always, are rows of their own, newest first.
 * What is read is of one moment; a change is planned here, and is to be written before the next is planned.
 */
export class VersionHistory {
  readonly #index: Index;

  constructor(index: Index) {
    this.#index = index;
  }

  async latest(bucket: string, key: string): Promise<Version | undefined> {
    await using snapshot = this.#index.snapshot();
    return await this.#latest(bucket, key, snapshot);
  }

  /** @throws S3Error InvalidArgument for what is no version's id. */
  async find(bucket: string, key: string, versionId: string): Promise<Version | undefined> {
    const sequence = parseVersionId(versionId);
    await using snapshot = this.#index.snapshot();
    const object = await this.#object(bucket, key, snapshot);
    if (object !== undefined && versionIdOf(object) === versionId) return object;
    if (sequence === undefined)
      return await this.#older(bucket, key, (each) => each.versionId === undefined, snapshot);
    const row = versionRow(bucket, key, sequence);
    const version = (await this.#index.get(row, { snapshot })) as Version | undefined;
    return version?.versionId === versionId ? version : undefined;
  }

  /** Puts a version on top. The version `null` takes the place of the one that there was, wherever it was. */
  async planPut(bucket: string, key: string, version: Version): Promise<Change> {
    const before = await this.#object(bucket, key);
    const isNull = version.versionId === undefined;
    const rows: Change['rows'][number][] = [];
    let replaced: Version | undefined;
    if (before !== undefined && isNull && before.versionId === undefined) replaced = before;
    else if (before !== undefined) {
      rows.push({ type: 'put', key: versionRow(bucket, key, sequenceOf(before)), value: before });
    }
    // Without a sequence the bucket never had versions, and there is nothing to search.
    if (isNull && replaced === undefined && version.sequence !== undefined) {
      replaced = await this.#older(bucket, key, (each) => each.versionId === undefined);
      if (replaced) rows.push({ type: 'del', key: versionRow(bucket, key, sequenceOf(replaced)) });
    }
    if (isDeleteMarker(version)) {
      rows.push({ type: 'del', key: objectRow(bucket, key) });
      rows.push({ type: 'put', key: versionRow(bucket, key, sequenceOf(version)), value: version });
    } else rows.push({ type: 'put', key: objectRow(bucket, key), value: version });
    return { rows, freedBlobs: blobsOf(replaced) };
  }

  /** Takes a version away; the one below the latest takes its place. */
  async planRemove(bucket: string, key: string, version: Version): Promise<Change> {
    const sequence = sequenceOf(version);
    const object = await this.#object(bucket, key);
    const isObject = object !== undefined && sequenceOf(object) === sequence;
    const row = isObject ? objectRow(bucket, key) : versionRow(bucket, key, sequence);
    const freedBlobs = blobsOf(version);
    const rows: Change['rows'][number][] = [{ type: 'del', key: row }];
    if (object !== undefined && !isObject) return { rows, freedBlobs };

    const next = await this.#older(bucket, key, (each) => sequenceOf(each) !== sequence);
    if (next !== undefined && !isDeleteMarker(next)) {
      rows.push({ type: 'put', key: objectRow(bucket, key), value: next });
      rows.push({ type: 'del', key: versionRow(bucket, key, sequenceOf(next)) });
    }
    return { rows, freedBlobs };
  }

  async isEmpty(bucket: string): Promise<boolean> {
    const objects = await this.#index.keys({ ...bucketRange('o', bucket), limit: 1 }).all();
    const versions = await this.#index.keys({ ...bucketRange('v', bucket), limit: 1 }).all();
    return objects.length + versions.length === 0;
  }

  /** Keys in the order of their bytes, the versions of each newest first. */
  async *list(
    bucket: string,
    { prefix, after }: { readonly prefix: string; readonly after?: VersionMarker },
  ): AsyncGenerator<readonly [key: string, listed: ListedVersion]> {
    await using snapshot = this.#index.snapshot();
    const from = after === undefined || compareBytes(after.key, prefix) < 0 ? undefined : after;
    await using objects = await peekable(this.#objectRows(bucket, from?.key ?? prefix, snapshot));
    await using versions = await peekable(this.#versionRows(bucket, { prefix, after: from, snapshot }));
    const isBehind = (key: string, version: Version): boolean =>
      key !== from?.key || (from.sequence !== undefined && sequenceOf(version) < from.sequence);

    let seen: string | undefined;
    if (from?.sequence !== undefined) {
      const latest = await this.#latest(bucket, from.key, snapshot);
      if (latest !== undefined && !isBehind(from.key, latest)) seen = from.key;
    }
    for (;;) {
      const [object, version] = [objects.head(), versions.head()];
      const takesObject =
        version === undefined || (object !== undefined && compareBytes(object[0], version[0]) <= 0);
      const next = takesObject ? object : version;
      if (next === undefined || !next[0].startsWith(prefix)) return;
      await (takesObject ? objects : versions).advance();
      const [key, found] = next;
      if (!isBehind(key, found)) continue;
      yield [key, { version: found, isLatest: key !== seen }];
      seen = key;
    }
  }

  async #object(bucket: string, key: string, snapshot?: Snapshot): Promise<StoredObject | undefined> {
    return (await this.#index.get(objectRow(bucket, key), { snapshot })) as StoredObject | undefined;
  }

  async #latest(bucket: string, key: string, snapshot: Snapshot): Promise<Version | undefined> {
    return (
      (await this.#object(bucket, key, snapshot)) ?? (await this.#older(bucket, key, () => true, snapshot))
    );
  }

  /** The newest below the key's object that is as asked for. */
  async #older(
    bucket: string,
    key: string,
    isWanted: (version: Version) => boolean,
    snapshot?: Snapshot,
  ): Promise<Version | undefined> {
    const range = { gte: versionRows(bucket, key), lt: afterVersionRows(bucket, key), snapshot };
    for await (const value of this.#index.values(range)) {
      if (isWanted(value as Version)) return value as Version;
    }
    return undefined;
  }

  async *#objectRows(bucket: string, from: string, snapshot: Snapshot): AsyncGenerator<KeyedVersion> {
    const first = objectRow(bucket, '');
    const range = { ...bucketRange('o', bucket), gte: first + from, snapshot };
    for await (const [row, value] of this.#index.iterator(range)) {
      yield [row.slice(first.length), value as Version];
    }
  }

  async *#versionRows(
    bucket: string,
    options: {
      readonly prefix: string;
      readonly after: VersionMarker | undefined;
      readonly snapshot: Snapshot;
    },
  ): AsyncGenerator<KeyedVersion> {
    const { prefix, after, snapshot } = options;
    const range = { ...bucketRange('v', bucket), gte: versionsFrom(bucket, prefix, after), snapshot };
    for await (const [row, value] of this.#index.iterator(range)) {
      yield [keyOfVersionRow(bucket, row), value as Version];
    }
  }
}

type KeyedVersion = readonly [key: string, version: Version];

const versionsFrom = (bucket: string, prefix: string, after: VersionMarker | undefined): string => {
  if (after === undefined) return versionRows(bucket, prefix).slice(0, -2);
  const { key, sequence } = after;
  if (sequence === undefined) return afterVersionRows(bucket, key);
  return Number.isFinite(sequence) ? versionRow(bucket, key, sequence) : versionRows(bucket, key);
};

const blobsOf = (version: Version | undefined): readonly string[] =>
  version === undefined || isDeleteMarker(version) ? [] : [version.blobId];

const compareBytes = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));

const peekable = async <T>(source: AsyncGenerator<T, void>) => {
  let next = await source.next();
  return {
    head: (): T | undefined => (next.done ? undefined : next.value),
    advance: async (): Promise<void> => {
      next = await source.next();
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await source.return();
    },
  };
};
