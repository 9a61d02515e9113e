import type { Clock } from '../../../lib/clock.ts';

/** Far more than one machine writes in a millisecond, and counted by time, so that a later start goes on above an earlier one's. */
const STEPS_PER_MS = 4096n;

/** Numbers of 16 hexadecimal digits that only grow: S3 promises it per key, here it holds for all. */
export const createSequencer = (now: Clock): (() => string) => {
  let last = 0n;
  return () => {
    const byTime = BigInt(Math.floor(now())) * STEPS_PER_MS;
    last = byTime > last ? byTime : last + 1n;
    return last.toString(16).toUpperCase().padStart(16, '0');
  };
};
