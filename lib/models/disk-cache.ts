import { writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GreedyDualCache } from '../cache/greedy-dual.ts';

export interface DiskCacheOptions {
  /** Belongs to this cache alone: what is in it and was not kept is deleted. */
  readonly root: string;
  readonly maxBytes: number;
  /** Told of folders that could not be deleted, and of notes that could not be written. */
  readonly onError: (error: unknown) => void;
}

/** An unpacked artifact. */
export interface Folder {
  readonly directory: string;
  /** Bytes of its files. */
  readonly sizeBytes: number;
  readonly etag: string;
  /** What it took to fetch it, in milliseconds. */
  readonly fetchMs: number;
}

interface Kept extends Folder {
  users: number;
  gone: boolean;
}

/** A folder that stays until it is released. */
export interface FolderLease {
  readonly folder: Folder;
  release(): void;
}

const NOTE = '.json';

/** A small file takes a whole block of the file system; this is for the folder, its note and what blocks leave unused. */
const OVERHEAD_BYTES = 16 * 1024;

/**
 * Unpacked artifacts in a folder, bounded by bytes; the one worth least goes first, one in use never. A folder's name is
 * random and used once: nothing that a caller sends becomes a path, and a late deletion cannot hit a newer folder. Beside
 * each lies a note of what it is, written last: a worker that Lambda starts anew in the same environment finds /tmp as it
 * was, takes over what has a note, and deletes the rest.
 */
export class DiskCache {
  readonly #root: string;
  readonly #kept: GreedyDualCache<Kept>;
  readonly #deletions = new Set<Promise<void>>();
  readonly #onError: (error: unknown) => void;
  #ready: Promise<void> | undefined;

  constructor({ root, maxBytes, onError }: DiskCacheOptions) {
    this.#root = root;
    this.#onError = onError;
    this.#kept = new GreedyDualCache({
      maxBytes,
      isPinned: ({ users }) => users > 0,
      onEvict: (_, kept) => this.#letGo(kept),
    });
  }

  get bytes(): number {
    return this.#kept.bytes;
  }

  get maxBytes(): number {
    return this.#kept.maxBytes;
  }

  /** The files of the largest artifact that can be kept. */
  get largestBytes(): number {
    return this.#kept.maxBytes - OVERHEAD_BYTES;
  }

  get count(): number {
    return this.#kept.count;
  }

  async lease(name: string): Promise<FolderLease | undefined> {
    await this.#takeOver();
    const kept = this.#kept.get(name);
    return kept && this.#use(kept);
  }

  async etagOf(name: string): Promise<string | undefined> {
    await this.#takeOver();
    return this.#kept.peek(name)?.etag;
  }

  /** Whether `bytes` more do not fit, because what is kept is in use. */
  isFullOfLeases(bytes: number): boolean {
    const leased = this.#kept.entries().filter(([, { users }]) => users > 0);
    const leasedBytes = leased.reduce((sum, [, { sizeBytes }]) => sum + sizeBytes + OVERHEAD_BYTES, 0);
    return leasedBytes + bytes + OVERHEAD_BYTES > this.#kept.maxBytes;
  }

  /** A path for a new folder, which does not exist yet. */
  async reserve(): Promise<string> {
    await this.#takeOver();
    const { randomUUID } = await import('node:crypto');
    return join(this.#root, randomUUID());
  }

  /** @returns false when so many bytes do not fit beside the folders in use */
  async makeRoom(bytes: number): Promise<boolean> {
    const fits = this.#kept.makeRoom(bytes + OVERHEAD_BYTES);
    await this.settle();
    return fits;
  }

  /** Waits until what has been let go of is deleted. */
  async settle(): Promise<void> {
    await Promise.all(this.#deletions);
  }

  /**
   * Takes over a folder that has been filled, in place of one of that name, and leases it. It is deleted when it is
   * released, if it does not fit.
   */
  keep(name: string, folder: Folder): FolderLease {
    const kept: Kept = { ...folder, users: 0, gone: false };
    const lease = this.#use(kept);
    const replaced = this.#kept.delete(name);
    if (replaced !== undefined) this.#letGo(replaced);
    if (this.#kept.makeRoom(folder.sizeBytes + OVERHEAD_BYTES)) {
      this.#set(name, kept);
      this.#writeNote(name, folder);
    } else kept.gone = true;
    return lease;
  }

  /** Forgets a model, and deletes its folder when nobody uses it. */
  drop(name: string): void {
    const kept = this.#kept.delete(name);
    if (kept !== undefined) this.#letGo(kept);
  }

  /** Deletes a folder that has not been kept. */
  discard({ directory }: Folder): void {
    this.#delete(directory);
  }

  #set(name: string, kept: Kept): void {
    this.#kept.set(name, kept, { bytes: kept.sizeBytes + OVERHEAD_BYTES, cost: kept.fetchMs });
  }

  #use(kept: Kept): FolderLease {
    kept.users += 1;
    let released = false;
    return {
      folder: kept,
      release: () => {
        if (released) return;
        released = true;
        kept.users -= 1;
        this.#deleteIfUnused(kept);
      },
    };
  }

  #letGo(kept: Kept): void {
    kept.gone = true;
    this.#deleteIfUnused(kept);
  }

  #deleteIfUnused(kept: Kept): void {
    if (kept.gone && kept.users === 0) this.#delete(kept.directory);
  }

  /** The note first: a folder half deleted must not be taken over. */
  #delete(directory: string): void {
    const deletion = rm(directory + NOTE, { force: true })
      .then(() => rm(directory, { recursive: true, force: true }))
      .catch(this.#onError)
      .finally(() => this.#deletions.delete(deletion));
    this.#deletions.add(deletion);
  }

  /**
   * Synchronously: a turn of the thread pool costs several times what a small file does. One cut off by the end of the
   * process is no JSON, and not trusted.
   */
  #writeNote(name: string, { directory, sizeBytes, etag, fetchMs }: Folder): void {
    try {
      writeFileSync(directory + NOTE, JSON.stringify({ name, sizeBytes, etag, fetchMs }));
    } catch (error) {
      // Without it the folder is fetched again after a restart; nothing else is lost.
      this.#onError(error);
    }
  }

  #takeOver(): Promise<void> {
    this.#ready ??= this.#readNotes();
    return this.#ready;
  }

  async #readNotes(): Promise<void> {
    await mkdir(this.#root, { recursive: true });
    const found = new Set(await readdir(this.#root));
    for (const note of [...found].filter((name) => name.endsWith(NOTE))) {
      const directory = note.slice(0, -NOTE.length);
      const parsed = found.has(directory) ? await this.#readNote(note) : undefined;
      if (parsed === undefined) continue;
      const { name, ...folder } = parsed;
      if (!this.#kept.makeRoom(folder.sizeBytes + OVERHEAD_BYTES)) continue;
      this.#set(name, { ...folder, directory: join(this.#root, directory), users: 0, gone: false });
      found.delete(note);
      found.delete(directory);
    }
    await Promise.all([...found].map((name) => rm(join(this.#root, name), { recursive: true, force: true })));
  }

  async #readNote(
    note: string,
  ): Promise<(Omit<Folder, 'directory'> & { readonly name: string }) | undefined> {
    try {
      const { name, sizeBytes, etag, fetchMs } = JSON.parse(
        await readFile(join(this.#root, note), 'utf8'),
      ) as Record<string, unknown>;
      if (typeof name !== 'string' || typeof etag !== 'string') return undefined;
      if (!Number.isSafeInteger(sizeBytes) || typeof fetchMs !== 'number') return undefined;
      return { name, sizeBytes: Number(sizeBytes), etag, fetchMs };
    } catch {
      return undefined;
    }
  }
}
