import { sum } from './demand.ts';
import { carriedBy } from './erlang.ts';
import type { GroupSeen } from './observation.ts';

const MINUTES = 10;
const MOST_APART = 0.3;

export interface SpilloverAsked {
  readonly seen: GroupSeen | undefined;
  readonly workers: number;
  /** Minutes for which there have been so many. */
  readonly steadyMinutes: number;
  readonly minuteMs: number;
}

/**
 * R5. Some spillover is meant: Erlang's formula says how much. Where it is far off for ten minutes, calls do not find the workers
 * that are paid for (or find those of somebody else), which no rule here can mend.
 * @returns the share of calls that spilled and the share that should have; `undefined` when they are near each other
 */
export const findOddSpillover = ({
  seen,
  workers,
  steadyMinutes,
  minuteMs,
}: SpilloverAsked): { readonly spilled: number; readonly expected: number } | undefined => {
  if (seen === undefined || workers === 0 || steadyMinutes < MINUTES) return undefined;
  const calls = sum(seen.calls.slice(-MINUTES));
  if (calls === 0) return undefined;
  const seconds = (MINUTES * minuteMs) / 1000;
  const workMs = sum(seen.busyMs.slice(-MINUTES)) - sum(seen.loadMs.slice(-MINUTES));
  const callsPerSecond = calls / seconds;
  const load = { callsPerSecond, erlangs: workMs / 1000 / seconds, callSeconds: workMs / 1000 / calls };
  const expected = 1 - carriedBy(workers, load) / callsPerSecond;
  const spilled = 1 - sum(seen.provisioned.slice(-MINUTES)) / calls;
  return Math.abs(spilled - expected) > MOST_APART ? { spilled, expected } : undefined;
};
