import { type MessagePort, Worker } from 'node:worker_threads';
import { explain } from './explain.ts';
import { forwardOutput } from './forward-output.ts';
import type { ThreadStart } from './messages.ts';

export interface ThreadLimits {
  /** Of the JavaScript heap. */
  readonly heapMb: number;
  /** Of memory beside the heap: ArrayBuffers, WebAssembly. */
  readonly externalMb: number;
  /** Of importing model.mjs and its `load`. */
  readonly loadMs: number;
}

/** Beside this file in the repository, beside the handler's bundle when deployed. */
const THREAD = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.mjs', import.meta.url);

/** Starts the thread of a model; `port` becomes the thread's. */
export const openWorker = (
  start: Omit<ThreadStart, 'port'>,
  port: MessagePort,
  { limits, now }: { readonly limits: ThreadLimits; readonly now: () => number },
): Worker => {
  const worker = new Worker(THREAD, {
    workerData: { ...start, port } satisfies ThreadStart,
    transferList: [port],
    // No credentials of this function, and no option of this process.
    env: {},
    argv: [],
    execArgv: [],
    trackUnmanagedFds: true,
    resourceLimits: { maxOldGenerationSizeMb: limits.heapMb, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 },
  });
  // Unpiped, where the options `stdout` and `stderr` would do as well: with those an idle thread holds the process.
  forwardOutput(worker.stdout.unpipe().resume(), process.stdout, now);
  forwardOutput(worker.stderr.unpipe().resume(), process.stderr, now);
  return worker;
};

/** Why a thread ended by itself, from what it told before and from the worker's error. */
export const explainFault = (
  error: Error,
  told: { readonly origin: unknown; readonly reason: unknown } | undefined,
  { heapMb }: ThreadLimits,
): string => {
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return `model.mjs ran out of memory: its heap may take ${heapMb} MB`;
  }
  const reason = explain(told?.reason ?? error.message);
  return told?.origin === 'unhandledRejection'
    ? `model.mjs left a rejection unhandled, which ended its thread: ${reason}`
    : `model.mjs threw outside of a call, which ended its thread: ${reason}`;
};
