import { endOfLog } from './messages.ts';

/** Lambda's LogType `Tail` gives the last 4 KB of what a function printed. */
const MAX_BYTES = 4096;

/** How long an answer waits for the last line: a function that is cut off mid-line never prints the marker. */
const WAIT_MS = 500;

/** Gathers the end of one event's output. Answer and output come by different pipes, so the output is marked. */
export class LogTail {
  readonly #marker: string;
  #text = '';
  #markEnd: () => void = () => undefined;
  readonly #marked = new Promise<void>((resolve) => {
    this.#markEnd = resolve;
  });

  constructor(requestId: string) {
    this.#marker = `${endOfLog(requestId)}\n`;
  }

  /** @returns the text without the marker, for the log file */
  push(text: string): string {
    this.#text += text;
    if (this.#text.includes(this.#marker)) {
      this.#text = this.#text.replace(this.#marker, '');
      this.#markEnd();
    }
    // Twice the size is kept, so that a marker that comes in two pieces is still found.
    if (this.#text.length > 2 * MAX_BYTES) this.#text = this.#text.slice(-2 * MAX_BYTES);
    return text.replace(this.#marker, '');
  }

  get text(): string {
    return Buffer.from(this.#text).subarray(-MAX_BYTES).toString();
  }

  /** Resolves when the function's last line is there, or when it has been waited for long enough. */
  async complete(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, WAIT_MS);
    });
    await Promise.race([this.#marked, timeUp]);
    clearTimeout(timer);
  }
}
