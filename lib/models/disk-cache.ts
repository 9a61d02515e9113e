import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';

/**
 * Unpacked artifacts in a folder, bounded by bytes, the least recently used going first. A folder's name is a digest
 * of the model's name and its object's ETag, so that nothing a caller sends becomes a path. What is deleted may be
 * in use: an open model keeps nothing of its folder.
 */
export class DiskCache {
  readonly #root: string;
  readonly #kept: LRUCache<string, { readonly directory: string; readonly sizeBytes: number }>;
  readonly #onError: (error: unknown) => void;

  constructor(options: { root: string; maxBytes: number; onError: (error: unknown) => void }) {
    this.#root = options.root;
    this.#onError = options.onError;
    this.#kept = new LRUCache({
      maxSize: options.maxBytes,
      sizeCalculation: ({ sizeBytes }) => Math.max(1, sizeBytes),
      dispose: ({ directory }) => {
        rm(directory, { recursive: true, force: true }).catch(this.#onError);
      },
    });
  }

  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  get maxBytes(): number {
    return this.#kept.maxSize;
  }

  find(name: string): string | undefined {
    return this.#kept.get(name)?.directory;
  }

  /** A folder's path for this object, which does not exist yet. */
  async reserve(name: string, etag: string): Promise<string> {
    const directory = join(this.#root, createHash('sha256').update(`${name}\0${etag}`).digest('hex'));
    await mkdir(this.#root, { recursive: true });
    await rm(directory, { recursive: true, force: true });
    return directory;
  }

  /** Takes over a folder that has been filled; it goes at once when it is larger than the whole bound. */
  async keep(name: string, directory: string): Promise<void> {
    this.#kept.set(name, { directory, sizeBytes: await folderBytes(directory) });
    if (!this.#kept.has(name)) await this.discard(directory);
  }

  /** Deletes a folder that is not kept. */
  async discard(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true });
  }

  /** Forgets a model and deletes its folder. */
  drop(name: string): void {
    this.#kept.delete(name);
  }
}

const folderBytes = async (directory: string): Promise<number> => {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};
