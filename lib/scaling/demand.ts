import type { Load } from './erlang.ts';
import type { GroupSeen, Minutes, ModelSeen } from './observation.ts';
import type { OnDemandPath } from './worth.ts';

/** Until anything has been measured. */
const DEFAULT_CALL_SECONDS = 0.01;
const DEFAULT_PATH: OnDemandPath = { startSeconds: 0, slowShare: 0 };

/** R2 looks at a quarter of an hour. */
const DEMAND_MINUTES = 15;

/** Fewer calls say nothing about shares of them. */
const LEAST_CALLS = 20;

/** What is asked of a group, by minute: calls, and milliseconds of work without loads. */
export interface Demand {
  readonly calls: Minutes;
  readonly workMs: Minutes;
}

export const demandOf = (seen: GroupSeen | undefined, minutes: number): Demand =>
  seen === undefined
    ? { calls: zeros(minutes), workMs: zeros(minutes) }
    : {
        calls: seen.calls,
        workMs: seen.busyMs.map((busyMs, index) => Math.max(0, busyMs - (seen.loadMs[index] ?? 0))),
      };

export const demandOfModel = ({ calls, busySeconds }: ModelSeen): Demand => ({
  calls,
  workMs: busySeconds.map((seconds) => 1000 * seconds),
});

/** What a model asks for at the latest, of minutes that need not have settled. */
export const latestLoad = ({ calls, busySeconds, fresh }: ModelSeen, minuteMs: number): Load => {
  const allCalls = [...calls.slice(-2), ...fresh.calls];
  const allBusy = [...busySeconds.slice(-2), ...fresh.busySeconds];
  const most = Math.max(...allCalls);
  const called = sum(allCalls);
  const callSeconds = called === 0 ? DEFAULT_CALL_SECONDS : sum(allBusy) / called;
  const callsPerSecond = (1000 * most) / minuteMs;
  return { callsPerSecond, erlangs: callsPerSecond * callSeconds, callSeconds };
};

/** Adds (or with -1 takes away) another demand, in the minutes that `when` says; never below nothing. */
export const combine = (
  demand: Demand,
  other: Demand,
  sign: 1 | -1,
  when: (minutesAgo: number) => boolean,
): Demand => {
  const last = demand.calls.length - 1;
  const add = (left: Minutes, right: Minutes): Minutes =>
    left.map((value, index) =>
      when(last - index) ? Math.max(0, value + sign * (right[index] ?? 0)) : value,
    );
  return { calls: add(demand.calls, other.calls), workMs: add(demand.workMs, other.workMs) };
};

/** R2. Seconds of work per call, of the last quarter of an hour; else as last known. */
export const callSecondsOf = ({ calls, workMs }: Demand, lastKnown: number | undefined): number => {
  const called = sum(calls.slice(-DEMAND_MINUTES));
  if (called === 0) return lastKnown ?? DEFAULT_CALL_SECONDS;
  return sum(workMs.slice(-DEMAND_MINUTES)) / 1000 / called;
};

/** R4. The load of a minute, averaged with the minute before. `minutesAgo` 0 is the settled minute. */
export const loadAt = (
  { calls, workMs }: Demand,
  minutesAgo: number,
  callSeconds: number,
  minuteMs: number,
): Load => ({
  callsPerSecond: (1000 * (ago(calls, minutesAgo) + ago(calls, minutesAgo + 1))) / (2 * minuteMs),
  erlangs: (ago(workMs, minutesAgo) + ago(workMs, minutesAgo + 1)) / (2 * minuteMs),
  callSeconds,
});

/** R4. What calls met in the last hour that no provisioned worker took; else as last known. */
export const pathOf = (seen: GroupSeen | undefined, lastKnown: OnDemandPath | undefined): OnDemandPath => {
  const onDemand = seen === undefined ? 0 : sum(seen.calls) - sum(seen.provisioned);
  if (seen === undefined || onDemand < LEAST_CALLS) return lastKnown ?? DEFAULT_PATH;
  return {
    startSeconds: sum(seen.startMs) / 1000 / onDemand,
    slowShare: Math.min(1, sum(seen.slow) / onDemand),
  };
};

export const ago = (minutes: Minutes, minutesAgo: number): number =>
  minutes[minutes.length - 1 - minutesAgo] ?? 0;

export const sum = (values: Minutes): number => values.reduce((total, value) => total + value, 0);

const zeros = (length: number): Minutes => new Array<number>(length).fill(0);
