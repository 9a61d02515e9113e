import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';

export interface DiskCacheOptions {
  /** Belongs to this cache alone: what an earlier process left in it is deleted. */
  readonly root: string;
  readonly maxBytes: number;
  /** Told of folders that could not be deleted. */
  readonly onError: (error: unknown) => void;
}

/** An unpacked artifact. */
export interface Folder {
  readonly directory: string;
  readonly sizeBytes: number;
}

/**
 * Unpacked artifacts in a folder, bounded by bytes, the least recently used going first. A folder's name is random and
 * used once: nothing that a caller sends becomes a path, and a late deletion cannot hit a newer folder. What is
 * deleted may be in use: an open model needs nothing of its folder.
 */
export class DiskCache {
  readonly #root: string;
  readonly #kept: LRUCache<string, Folder>;
  readonly #deletions = new Set<Promise<void>>();
  readonly #onError: (error: unknown) => void;
  #empty: Promise<void> | undefined;

  constructor({ root, maxBytes, onError }: DiskCacheOptions) {
    this.#root = root;
    this.#onError = onError;
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ sizeBytes }) => Math.max(1, sizeBytes),
      dispose: (folder) => this.discard(folder),
    });
  }

  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  find(name: string): Folder | undefined {
    return this.#kept.get(name);
  }

  /** A path for a new folder, which does not exist yet. */
  async reserve(): Promise<string> {
    // A worker that was killed left its folders: Lambda keeps /tmp when it starts one anew in the same environment.
    this.#empty ??= rm(this.#root, { recursive: true, force: true });
    await this.#empty;
    await mkdir(this.#root, { recursive: true });
    return join(this.#root, randomUUID());
  }

  /** Lets go of folders until `bytes` more would be within the bound, or none is left. */
  async makeRoom(bytes: number): Promise<void> {
    while (this.#kept.size > 0 && this.#kept.calculatedSize + bytes > this.#kept.maxSize) this.#kept.pop();
    await Promise.all(this.#deletions);
  }

  /** Takes over a folder that has been filled; it goes at once when it is larger than the whole bound. */
  keep(name: string, folder: Folder): void {
    this.#kept.set(name, folder);
    if (!this.#kept.has(name)) this.discard(folder);
  }

  /** Forgets a model and deletes its folder. */
  drop(name: string): void {
    this.#kept.delete(name);
  }

  /** Deletes a folder that is not kept; `makeRoom` waits for that. */
  discard({ directory }: Folder): void {
    const deletion = rm(directory, { recursive: true, force: true })
      .catch(this.#onError)
      .finally(() => this.#deletions.delete(deletion));
    this.#deletions.add(deletion);
  }
}
