import { closeSync, constants, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A new file and nothing else: it can neither overwrite what is there nor follow a link out of the folder. */
const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);

export interface NewFile {
  write(chunk: Uint8Array): void;
}

/**
 * Files below one folder, one at a time. They are written synchronously: tar's parser hands its bytes over in events
 * that cannot be awaited, a worker has one call to answer, and no write is left behind when something fails.
 */
export class NewFiles implements Disposable {
  readonly #directory: string;
  #descriptor: number | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Closes the last file and opens the next.
   * @param segments its path below the folder, judged by the entry policy
   */
  open(segments: readonly string[]): NewFile {
    this[Symbol.dispose]();
    mkdirSync(join(this.#directory, ...segments.slice(0, -1)), { recursive: true });
    const descriptor = openSync(join(this.#directory, ...segments), NEW_FILE, 0o600);
    this.#descriptor = descriptor;
    return { write: (chunk) => writeFileSync(descriptor, chunk) };
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
