import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Pick } from './patterns.ts';
import type { Recorder } from './recorder.ts';
import type { Send } from './send.ts';

/** Time as a loop sees it, so that tests can turn it. */
export interface Clock {
  readonly nowMs: () => number;
  /** Resolves early once it is stopped. 0 lets answers in. */
  readonly wait: (ms: number, stop: AbortSignal) => Promise<unknown>;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wait: (ms, stop) =>
    ms < 1 ? setImmediate() : setTimeout(ms, undefined, { signal: stop }).catch(() => undefined),
};

export interface Loop {
  readonly next: () => Pick;
  readonly send: Send;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly seconds: number;
  /** No further call is started; those in flight are waited for. */
  readonly stop: AbortSignal;
}

/** Latency counts from when the call was due: a generator held up by a slow answer must not hide the wait. */
export const callOnce = async (
  { send, recorder, clock }: Loop,
  { model, group }: Pick,
  dueAtMs: number,
): Promise<void> => {
  const startedAtMs = clock.nowMs();
  recorder.started(startedAtMs - dueAtMs);
  const answer = await send(model);
  // Timers know whole milliseconds, so a call may also start a little early.
  recorder.ended(group, clock.nowMs() - Math.min(dueAtMs, startedAtMs), answer);
};
