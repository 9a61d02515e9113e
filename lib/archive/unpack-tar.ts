import { Parser, type ReadEntry } from 'tar';
import type { ServingError } from '../errors.ts';
import { type ArchiveLimits, createEntryPolicy } from './entry-policy.ts';
import { NewFiles } from './new-files.ts';
import { refusal } from './refusal.ts';

const BLOCK_BYTES = 512;

/** Headers, padding and the end marker of a tar, per entry; beyond what the entries hold, more than this is a bomb. */
const OVERHEAD_BYTES_PER_ENTRY = 2048;

/**
 * Weights hardly compress, and text some ten times; deflate's own limit is 1,032 times. What unpacks to more than this times
 * its size, and to more than `FREE_BYTES`, was made to fill a disk.
 */
export const MAX_RATIO = 200;
const FREE_BYTES = 16 * 1024 * 1024;

export const tooHighRatio = (): ServingError =>
  refusal(`it unpacks to more than ${MAX_RATIO} times its size`);

export interface UnpackLimits extends ArchiveLimits {
  /** How many bytes have been read of what is being unpacked. */
  readonly packedBytes?: () => number;
}

/**
 * Writes the files of a tar below `directory`, and fails at the first entry that the policy refuses.
 * @returns the bytes of the files written.
 * @throws ServingError ModelError naming the entry; tar's own errors (`TAR_...`) for a damaged archive.
 */
export const unpackTar = async (
  tar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  directory: string,
  limits: UnpackLimits,
): Promise<number> => {
  using unpacker = new Unpacker(directory, limits);
  for await (const chunk of tar) unpacker.write(chunk);
  return unpacker.end();
};

/** tar's parser reports by events, all of them raised inside `write` and `end`: the first failure is thrown there. */
class Unpacker implements Disposable {
  // zstd: false, and #head: the parser would unpack what is compressed twice by itself, past the bound on bytes.
  readonly #parser = new Parser({ strict: true, zstd: false });
  readonly #files: NewFiles;
  readonly #maxTarBytes: number;
  readonly #packedBytes: () => number;
  #head: Uint8Array | undefined = Buffer.alloc(0);
  #tarBytes = 0;
  #writtenBytes = 0;
  #failure: Error | undefined;

  constructor(directory: string, limits: UnpackLimits) {
    this.#files = new NewFiles(directory);
    this.#packedBytes = limits.packedBytes ?? (() => Number.POSITIVE_INFINITY);
    this.#maxTarBytes = limits.maxUnpackedBytes + limits.maxEntries * OVERHEAD_BYTES_PER_ENTRY;
    const judge = createEntryPolicy(limits);

    this.#parser.on('error', (error: Error) => this.#fail(error));
    // tar passes over what it does not know, and over names too long for it, with no word: that would be repairing.
    this.#parser.on('ignoredEntry', ({ path, type }: ReadEntry) =>
      this.#fail(refusal(`it is a ${type} that cannot be read`, path)),
    );
    this.#parser.on('entry', (entry: ReadEntry) => {
      if (this.#failure !== undefined) return;
      const verdict = judge({ path: entry.path, type: entry.type, sizeBytes: entry.size });
      if ('refuse' in verdict) this.#fail(refusal(verdict.refuse, entry.path));
      else if ('write' in verdict) this.#attempt(() => this.#writeEntry(entry, verdict.write));
      else entry.resume();
    });
  }

  write(chunk: Uint8Array): void {
    this.#tarBytes += chunk.length;
    if (this.#tarBytes > this.#maxTarBytes)
      throw refusal(`it unpacks to more than ${this.#maxTarBytes} bytes`);
    if (this.#tarBytes > FREE_BYTES && this.#tarBytes > MAX_RATIO * this.#packedBytes()) throw tooHighRatio();
    const ready = this.#head === undefined ? chunk : this.#completeHead(chunk);
    if (ready !== undefined) this.#attempt(() => this.#parser.write(Buffer.from(ready)));
    if (this.#failure !== undefined) throw this.#failure;
  }

  end(): number {
    if (this.#head !== undefined) throw refusal('it is too short to be a tar');
    this.#attempt(() => this.#parser.end());
    if (this.#failure !== undefined) throw this.#failure;
    return this.#writtenBytes;
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }

  /** Holds bytes back until the first header is whole. */
  #completeHead(chunk: Uint8Array): Uint8Array | undefined {
    const head = Buffer.concat([this.#head ?? Buffer.alloc(0), chunk]);
    this.#head = head.length < BLOCK_BYTES ? head : undefined;
    if (this.#head !== undefined) return undefined;
    if (head[0] === 0x1f && head[1] === 0x8b) throw refusal('it is gzipped twice');
    return head;
  }

  #writeEntry(entry: ReadEntry, segments: readonly string[]): void {
    const file = this.#files.open(segments);
    entry.on('data', (chunk) => {
      this.#attempt(() => file.write(chunk));
      this.#writtenBytes += chunk.length;
    });
  }

  #attempt(work: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      work();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }
}
