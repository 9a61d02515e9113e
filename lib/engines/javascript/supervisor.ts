import type { RunContext, Value } from '../engine.ts';
import { modelError } from './explain.ts';
import type { Payload } from './messages.ts';
import { type Declared, ModelThread, type ThreadOptions } from './model-thread.ts';
import { createRestarts } from './restarts.ts';
import { settlesWithin } from './time-limit.ts';

/** A thread that was stopped in a system call lives on for as long as that takes, with all its memory. */
const MAX_THREADS = 3;
const CLOSE_WITHIN_MS = 1000;

/** Keeps one model running: it has a thread, or the next call starts one. */
export class Supervisor {
  readonly #options: ThreadOptions & { readonly handleMs: number };
  readonly #restarts = createRestarts();
  #thread: ModelThread | undefined;
  #starting: Promise<ModelThread> | undefined;
  /** The current one, and those that have not ended yet. */
  readonly #threads = new Set<ModelThread>();
  #lastReason = '';
  #isClosed = false;

  constructor(options: ThreadOptions & { readonly handleMs: number }) {
    this.#options = options;
  }

  /** Starts the first thread. @throws ServingError ModelError when the model cannot be loaded. */
  async start(): Promise<Declared> {
    return (await this.#acquire()).ready();
  }

  /** @throws ServingError ModelError; the next call works where this one took the thread along. */
  async call(input: Value, context: RunContext): Promise<Payload> {
    const { handleMs, now } = this.#options;
    const calledAtMs = now();
    refuseLate(context.remainingMs);
    const starting = this.#acquire();
    // The start goes on where this caller gives up: the next one finds the thread.
    const inTime = await settlesWithin(starting, context.remainingMs);
    if (!inTime) {
      throw modelError(`model.mjs did not start within the ${Math.ceil(context.remainingMs)} ms left`);
    }
    const thread = await starting;
    const remainingMs = context.remainingMs - (now() - calledAtMs);
    refuseLate(remainingMs);
    return thread.call(input, { ...context, remainingMs }, Math.min(handleMs, remainingMs));
  }

  /** Ends its threads, and waits for that, but not long for one in a system call. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const thread of this.#threads) thread.stop('the model was closed');
    await settlesWithin(Promise.all([...this.#threads].map(({ ended }) => ended)), CLOSE_WITHIN_MS);
  }

  async #acquire(): Promise<ModelThread> {
    await this.#thread?.settled();
    if (this.#isClosed) throw modelError('the model is closed');
    if (this.#starting !== undefined) return this.#starting;
    if (this.#thread?.isUsable) return this.#thread;
    this.#starting = this.#replace().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #replace(): Promise<ModelThread> {
    this.#thread?.retire();
    this.#refuseRestart();
    const thread = new ModelThread(this.#options);
    this.#thread = thread;
    this.#threads.add(thread);
    void thread.ended.then(() => this.#threads.delete(thread));
    try {
      await thread.ready();
      return thread;
    } catch (error) {
      this.#restarts.failed(this.#options.now());
      this.#lastReason = error instanceof Error ? error.message : '';
      throw error;
    }
  }

  #refuseRestart(): void {
    const waitMs = this.#restarts.waitMs(this.#options.now());
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      throw modelError(
        `model.mjs failed to start 3 times within a minute, next try in ${seconds} s: ${this.#lastReason}`,
      );
    }
    if (this.#threads.size >= MAX_THREADS) {
      throw modelError(
        'threads of model.mjs that were stopped have not ended yet: it waits inside a system call',
      );
    }
  }
}

const refuseLate = (remainingMs: number): void => {
  if (remainingMs <= 0) throw modelError('the caller had no time left when model.mjs was to be called');
};
