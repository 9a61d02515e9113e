import type { GroupSeen } from './observation.ts';

/** A shard that is called less often than once in ten seconds or so does not stay warm: of 300 s, ten calls. */
const SECONDS_KEPT_WARM = 300;
const CALLS_TO_STAY_WARM = 10;

const UP_MINUTES = 10;
const DOWN_MINUTES = 60;
/** A tick that was missed is no reason to begin to count again. */
const GAPS = 5;

/** A worker this full may be evicting: what it would hold is not known. */
const FULL = 0.95;
const COMFORTABLY_FULL = 0.9;

export interface ShardsAsked {
  readonly current: number;
  readonly deployed: number;
  /** Of the active cold groups. */
  readonly seen: readonly GroupSeen[];
  readonly minuteMs: number;
  /** Of how many of the last 60 minutes there is word. */
  readonly knownMinutes: number;
  /** For how many minutes there have been `current`: what was before says nothing of them. */
  readonly steadyMinutes: number;
}

/**
 * R11. How many cold shards should share the models: as many as are needed to hold what is called, and no more than are
 * called often enough to stay warm. Up when that has been higher for ten minutes, down when lower for an hour.
 */
export const chooseShards = (asked: ShardsAsked): number => {
  const { current, deployed, seen, minuteMs, knownMinutes, steadyMinutes } = asked;
  if (steadyMinutes < UP_MINUTES) return current;
  const needed = shardsToHold(seen, current, steadyMinutes) || deployed;
  const at = (minutesAgo: number): number => {
    const calls = seen.reduce((total, group) => total + (group.calls.at(-1 - minutesAgo) ?? 0), 0);
    const perSecond = (1000 * calls) / minuteMs;
    const keptWarm = Math.floor((perSecond * SECONDS_KEPT_WARM) / CALLS_TO_STAY_WARM);
    return Math.max(1, Math.min(keptWarm, deployed, needed));
  };
  const lowest = Math.min(...range(UP_MINUTES).map(at));
  if (lowest > current) return lowest;
  if (Math.min(knownMinutes, steadyMinutes) < DOWN_MINUTES - GAPS) return current;
  const highest = Math.max(...range(DOWN_MINUTES).map(at));
  return Math.min(current, highest);
};

/** From how full the fullest workers are: each holds about what its shard was asked for. 0: nobody has said yet. */
const shardsToHold = (seen: readonly GroupSeen[], current: number, steadyMinutes: number): number => {
  const minutes = Math.min(DOWN_MINUTES, Math.floor(steadyMinutes));
  const uses = seen.map(({ memoryUse }) => Math.max(0, ...memoryUse.slice(-minutes)));
  if (uses.some((use) => use >= FULL)) return 2 * current;
  return Math.ceil(uses.reduce((total, use) => total + use, 0) / COMFORTABLY_FULL);
};

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
