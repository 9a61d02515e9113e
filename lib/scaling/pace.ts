import type { Clock } from '../clock.ts';

export interface PaceOptions {
  readonly perSecond: number;
  readonly now: Clock;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** R10. Waits until the next control-plane call may be made: the whole account has 15 a second, and this takes a third. */
export const createPace = ({ perSecond, now, sleep }: PaceOptions): (() => Promise<void>) => {
  const everyMs = 1000 / perSecond;
  let nextMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const nowMs = now();
    const waitMs = nextMs - nowMs;
    nextMs = Math.max(nowMs, nextMs) + everyMs;
    if (waitMs > 0) await sleep(waitMs);
  };
};
