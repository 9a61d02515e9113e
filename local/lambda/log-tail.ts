import { endOfLog } from './messages.ts';

/** Lambda's LogType `Tail` gives the last 4 KB of what a function printed. */
const MAX_BYTES = 4096;

/** How long an answer waits for the last line: a process that ends in the middle never prints the marker. */
const WAIT_MS = 500;

export type LogStream = 'stdout' | 'stderr';

/**
 * Gathers the end of one event's output. Answer, stdout and stderr come by three different pipes, so the function's
 * last line in each of the latter is followed by a marker.
 */
export class LogTail {
  readonly #requestId: string;
  readonly #marker: string;
  #text = '';
  /** The end of what a stream has given so far, where it may be the beginning of the marker. */
  readonly #held = new Map<LogStream, string>();
  readonly #unmarked = new Set<LogStream>(['stdout', 'stderr']);
  readonly #complete = Promise.withResolvers<void>();

  constructor(requestId: string, version: string) {
    this.#requestId = requestId;
    this.#marker = endOfLog(requestId);
    this.add(`START RequestId: ${requestId} Version: ${version}\n`);
  }

  /** @returns the text without the marker, for the log file */
  push(stream: LogStream, text: string): string {
    const { printed, held, isMarked } = takeMarker((this.#held.get(stream) ?? '') + text, this.#marker);
    this.#held.set(stream, held);
    if (isMarked) this.#unmarked.delete(stream);
    this.add(printed);
    if (this.#unmarked.size === 0) this.end();
    return printed;
  }

  /** A line of Lambda's own; the log file goes without, as it does where a function logs at level WARN. */
  add(text: string): void {
    this.#text += text;
    if (this.#text.length > 2 * MAX_BYTES) this.#text = this.#text.slice(-MAX_BYTES);
  }

  report({ ms, memorySizeMb, usedMb }: { ms: number; memorySizeMb: number; usedMb: number }): void {
    const figures = [
      `REPORT RequestId: ${this.#requestId}`,
      `Duration: ${ms.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(ms)} ms`,
      `Memory Size: ${memorySizeMb} MB`,
      `Max Memory Used: ${usedMb} MB`,
    ];
    this.add(`END RequestId: ${this.#requestId}\n${figures.join('\t')}\n`);
  }

  get text(): string {
    const bytes = Buffer.from(this.#text);
    let start = Math.max(0, bytes.length - MAX_BYTES);
    // Not in the middle of a character.
    while (((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
    return bytes.toString('utf8', start);
  }

  /** Nothing more will come. */
  end(): void {
    this.#complete.resolve();
  }

  /** Resolves when the last line of each stream is there, or when it has been waited for long enough. */
  async complete(): Promise<void> {
    const timer = setTimeout(() => this.end(), WAIT_MS);
    await this.#complete.promise;
    clearTimeout(timer);
  }
}

const takeMarker = (
  text: string,
  marker: string,
): { readonly printed: string; readonly held: string; readonly isMarked: boolean } => {
  const found = text.indexOf(marker);
  if (found >= 0) {
    return { printed: text.slice(0, found) + text.slice(found + marker.length), held: '', isMarked: true };
  }
  const last = text.lastIndexOf(marker.charAt(0));
  const isPart = last >= 0 && marker.startsWith(text.slice(last));
  return isPart
    ? { printed: text.slice(0, last), held: text.slice(last), isMarked: false }
    : { printed: text, held: '', isMarked: false };
};
