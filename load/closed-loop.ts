import { callOnce, type Loop } from './loop.ts';

/** Calls over a number of connections, each again once it is answered; resolves once all are answered. */
export const runClosedLoop = async (loop: Loop, connections: number): Promise<void> => {
  const { next, clock, seconds, stop } = loop;
  const endsAtMs = clock.nowMs() + seconds * 1000;
  const callUntilEnd = async (): Promise<void> => {
    while (clock.nowMs() < endsAtMs && !stop.aborted) await callOnce(loop, next(), clock.nowMs());
  };
  await Promise.all(Array.from({ length: connections }, callUntilEnd));
};
