import { hasWish, type ModelRow } from '../catalog/model-row.ts';
import { ago } from './demand.ts';
import type { ModelSeen } from './observation.ts';

/** A worker takes ten calls a second at most, so a call that is shorter than this fills it no less. */
const LEAST_CALL_SECONDS = 0.1;

const PROMOTE_MINUTES = 5;
/** Whichever of these is met: one that fills four workers at once need not be watched for long. */
const PROMOTE_WHEN = [
  { filled: 1, inMinutes: 3 },
  { filled: 4, inMinutes: 2 },
];
const DEMOTE_BELOW = 0.5;
const DEMOTE_MINUTES = 10;
const DEFAULT_IDLE_SECONDS = 600;
const LEAST_IDLE_SECONDS = 300;

/** R6. Workers that a model fills in a minute; 0 is the settled one. */
export const workersFilled = (
  { calls, busySeconds }: ModelSeen,
  minutesAgo: number,
  minuteMs: number,
): number => {
  return filledBy(ago(calls, minutesAgo), ago(busySeconds, minutesAgo), minuteMs);
};

const filledBy = (calls: number, busySeconds: number, minuteMs: number): number =>
  Math.max(busySeconds, LEAST_CALL_SECONDS * calls) / (minuteMs / 1000);

/** What it fills at the latest, settled or not: for comparing newcomers. */
export const filledLately = (seen: ModelSeen, minuteMs: number): number =>
  Math.max(...latestFilled(seen, minuteMs).slice(-1 - seen.fresh.calls.length));

/**
 * R6. Whether it has filled a worker often enough of late: in any five minutes that end with the settled one or after it. What
 * is not settled can only grow, so it is as good a reason to promote; it is none to demote.
 */
export const isBusyEnough = (seen: ModelSeen, minuteMs: number): boolean => {
  const filled = latestFilled(seen, minuteMs);
  return PROMOTE_WHEN.some(({ filled: atLeast, inMinutes }) =>
    filled.some((_, start) => {
      const minutes = filled.slice(start, start + PROMOTE_MINUTES);
      return minutes.filter((workers) => workers >= atLeast).length >= inMinutes;
    }),
  );
};

/** The last five settled minutes and the fresh ones, oldest first. */
const latestFilled = (seen: ModelSeen, minuteMs: number): readonly number[] => {
  const calls = [...seen.calls.slice(-PROMOTE_MINUTES), ...seen.fresh.calls];
  const busySeconds = [...seen.busySeconds.slice(-PROMOTE_MINUTES), ...seen.fresh.busySeconds];
  return calls.map((called, index) => filledBy(called, busySeconds[index] ?? 0, minuteMs));
};

/** Whether it fills one now, and so may be promoted soon: its shard need not get workers for it. */
export const isRising = (seen: ModelSeen, minuteMs: number): boolean => filledLately(seen, minuteMs) >= 1;

/** R6. Why a placed model should leave its slot; `undefined`: it stays. */
export const whyDemote = (
  seen: ModelSeen | undefined,
  row: ModelRow | undefined,
  { minuteMs, hotMinutes }: { readonly minuteMs: number; readonly hotMinutes: number },
): string | undefined => {
  if (row !== undefined && hasWish(row)) return undefined;
  const idleSeconds = Math.max(LEAST_IDLE_SECONDS, row?.maxIdleSeconds ?? DEFAULT_IDLE_SECONDS);
  const idleMinutes = Math.ceil(idleSeconds / 60);
  const isIdle = (back: number): boolean => seen === undefined || ago(seen.calls, back) === 0;
  if (hotMinutes >= idleMinutes && minutesBack(idleMinutes).every(isIdle)) {
    return `no call for ${idleMinutes} minutes`;
  }
  const isLittle = (back: number): boolean =>
    seen === undefined || workersFilled(seen, back, minuteMs) < DEMOTE_BELOW;
  if (hotMinutes >= DEMOTE_MINUTES && minutesBack(DEMOTE_MINUTES).every(isLittle)) {
    return `it filled less than ${DEMOTE_BELOW} of a worker in all of the last ${DEMOTE_MINUTES} minutes`;
  }
  return undefined;
};

const minutesBack = (count: number): readonly number[] => Array.from({ length: count }, (_, back) => back);
