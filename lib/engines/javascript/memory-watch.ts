import type { Worker } from 'node:worker_threads';
import { settlesWithin } from './time-limit.ts';

/** How often memory outside the heap is looked at while calls run; a look takes 25 us. */
const LOOK_EVERY_MS = 100;
const LOOK_EVERY_CALLS = 20;
/** What waits for the garbage collector counts too: a call under way is stopped at twice the bound only. */
const STOP_AT_BOUNDS = 2;
const MB = 1024 * 1024;

export interface MemoryWatchOptions {
  readonly externalMb: number;
  /** In milliseconds. */
  readonly now: () => number;
  /** Called when memory is so far above the bound that the call under way cannot be waited for. */
  readonly onExcess: (reason: string) => void;
}

/** ArrayBuffers and WebAssembly memory of a thread, which `resourceLimits` does not bound. */
export class MemoryWatch {
  readonly #worker: Worker;
  readonly #options: MemoryWatchOptions;
  #isAbove = false;
  #lookedAtMs: number;
  #calls = 0;
  #look: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(worker: Worker, options: MemoryWatchOptions) {
    this.#worker = worker;
    this.#options = options;
    this.#lookedAtMs = options.now();
  }

  /** Whether the thread was last seen above its bound. */
  get isAbove(): boolean {
    return this.#isAbove;
  }

  /** The thread begins to work. */
  begin(): void {
    this.#timer ??= setInterval(() => this.#lookNow(), LOOK_EVERY_MS);
  }

  /** The thread has nothing to do any more, after a call. */
  rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#calls += 1;
    const sinceMs = this.#options.now() - this.#lookedAtMs;
    if (sinceMs >= LOOK_EVERY_MS || this.#calls >= LOOK_EVERY_CALLS) this.#lookNow();
  }

  /** Waits for a look that is under way, but not for a thread that does not answer. */
  async settled(): Promise<void> {
    if (this.#look !== undefined) await settlesWithin(this.#look, LOOK_EVERY_MS);
  }

  #lookNow(): void {
    this.#lookedAtMs = this.#options.now();
    this.#calls = 0;
    this.#look ??= this.#measure().finally(() => {
      this.#look = undefined;
    });
  }

  /** The interpreter is interrupted for this: it works on a thread that is in an endless loop, too. */
  async #measure(): Promise<void> {
    const { externalMb, onExcess } = this.#options;
    const usedMb = await this.#worker.getHeapStatistics().then(
      ({ external_memory: bytes }) => bytes / MB,
      () => 0, // It has ended.
    );
    this.#isAbove ||= usedMb > externalMb;
    if (usedMb > externalMb * STOP_AT_BOUNDS) {
      onExcess(
        `model.mjs took ${Math.round(usedMb)} MB outside the heap (ArrayBuffers, WebAssembly) where ${externalMb} MB are allowed, and its thread was stopped`,
      );
    }
  }
}
