import type { ModelRow } from '../catalog/model-row.ts';
import { rankGroups } from '../routing/rendezvous.ts';
import { availableOf, isPending, whyPaused } from './allocations.ts';
import { budgetOf } from './budget.ts';
import { isRising } from './candidates.ts';
import { callSecondsOf, combine, type Demand, demandOf, demandOfModel, loadAt, pathOf } from './demand.ts';
import type { Load } from './erlang.ts';
import { type Observation, SEEN_MINUTES } from './observation.ts';
import type { Policy } from './policy.ts';
import { type GroupRecord, groupOf, modelsOf, type Placement, type ScalerState } from './state.ts';
import { activeGroups, isUsable } from './tiers.ts';
import { chooseWorkers, type OnDemandPath, type WorkerBounds } from './worth.ts';

/** More in one step would only be more to prepare at once (Lambda starts 6,000 a minute, and none is usable before all are). */
const MAX_STEP = 500;
const UP_MINUTES = 2;
const DOWN_MINUTES = 10;

/** What a group should have, the budget left aside. */
export interface Target {
  readonly group: string;
  /** As decided last. */
  readonly current: number;
  readonly workers: number;
  readonly bounds: WorkerBounds;
  readonly load: Load;
  readonly path: OnDemandPath;
  /** What the load of each of the minutes that count would be worth. */
  readonly up: number;
  readonly down: number;
  /** Why it may have no more now. */
  readonly paused?: string;
}

/** R2 to R5, for every group that has or may need workers. */
export const chooseTargets = (
  state: ScalerState,
  observation: Observation,
  policy: Policy,
): readonly Target[] =>
  [...policy.coldGroups, ...policy.hotGroups]
    .filter((group) => isConcerned(state, group, observation))
    .map((group) => chooseTarget(state, group, observation, policy));

const isConcerned = (state: ScalerState, group: string, { groups }: Observation): boolean =>
  groups.has(group) || groupOf(state, group).wanted > 0 || modelsOf(state, group).length > 0;

const chooseTarget = (
  state: ScalerState,
  group: string,
  observation: Observation,
  policy: Policy,
): Target => {
  const record = groupOf(state, group);
  const seen = observation.groups.get(group);
  const isSlot = policy.hotGroups.includes(group);
  const demand = isSlot
    ? demandOfSlot(state, group, observation)
    : demandOfShard(state, group, observation, policy);
  const callSeconds = callSecondsOf(demand, record.callSeconds);
  const path = pathOf(seen, record.path);
  const bounds = isSlot ? boundsOfSlot(state, group, observation.rows) : NO_BOUNDS;
  const wantedAt = (minutesAgo: number): number =>
    chooseWorkers(loadAt(demand, minutesAgo, callSeconds, policy.minuteMs), path, policy, bounds);

  const up = Math.min(...minutesBack(UP_MINUTES).map(wantedAt));
  const down = Math.max(...minutesBack(DOWN_MINUTES).map(wantedAt));
  const load = loadAt(demand, 0, callSeconds, policy.minuteMs);
  const current = record.wanted;
  const paused = whyPaused(record, observation.nowMs);
  const stepped = step(current, up, down);
  const workers = paused === undefined ? stepped : Math.min(current, stepped);
  return {
    group,
    current,
    workers,
    bounds,
    load,
    path,
    up,
    down,
    ...(paused === undefined ? {} : { paused }),
  };
};

/** R5. Up on what both of the last two minutes ask for, down on the most that any of the last ten did. */
const step = (current: number, up: number, down: number): number => {
  if (up > current) return Math.min(up, current + MAX_STEP);
  return Math.min(current, down);
};

const minutesBack = (count: number): readonly number[] => Array.from({ length: count }, (_, back) => back);

/** A slot is asked for what it gets, and for what its models got elsewhere before they came. */
const demandOfSlot = (state: ScalerState, group: string, observation: Observation): Demand => {
  const own = demandOf(observation.groups.get(group), SEEN_MINUTES);
  return modelsOf(state, group)
    .filter(([, { stage }]) => stage !== 'draining')
    .reduce((demand, [model, { hotMinute }]) => {
      const seen = observation.models.get(model);
      if (seen === undefined) return demand;
      return combine(demand, demandOfModel(seen), 1, before(hotMinute, observation));
    }, own);
};

/** A shard need not carry what has left it, nor what is about to leave. */
const demandOfShard = (
  state: ScalerState,
  group: string,
  observation: Observation,
  policy: Policy,
): Demand => {
  const shards = activeGroups(state, policy);
  let demand = demandOf(observation.groups.get(group), SEEN_MINUTES);
  for (const [model, seen] of observation.models) {
    const placement = state.models.get(model);
    const isLeaving =
      placement?.stage === 'hot' ||
      (placement?.stage === 'warming' && isComing(state, placement, observation.nowMs, policy.minuteMs));
    const mayLeave =
      placement === undefined &&
      isRising(seen, policy.minuteMs) &&
      hasRoom(state, model, observation.nowMs, policy);
    if ((!isLeaving && !mayLeave) || rankGroups(model, shards)[0] !== group) continue;
    demand = combine(demand, demandOfModel(seen), -1, untilAfter(placement?.hotMinute, observation));
  }
  return demand;
};

/** Workers are there for it, or on their way, or have not been waited for long. */
const isComing = (
  state: ScalerState,
  { group, sinceMs }: Placement,
  nowMs: number,
  minuteMs: number,
): boolean => {
  const record = groupOf(state, group);
  const isNew = nowMs - sinceMs < NEW_MINUTES * minuteMs;
  return isNew || isPending(record) || availableOf(record, record.version) > 0;
};

const NEW_MINUTES = 5;

const hasRoom = (
  state: ScalerState,
  model: string,
  nowMs: number,
  { hotGroups, workerBudget }: Policy,
): boolean =>
  !state.barred.has(model) &&
  budgetOf(workerBudget, state.account) > 0 &&
  hotGroups.some((group) => modelsOf(state, group).length === 0 && isUsable(groupOf(state, group), nowMs));

/** Minutes before the one in which its calls were led to the slot: that one has calls of both. */
const before =
  (hotMinute: number | undefined, { settledMinute = 0 }: Observation) =>
  (minutesAgo: number): boolean =>
    hotMinute === undefined || settledMinute - minutesAgo < hotMinute;

/** Up to the minute after it: routers hold routes for a while. */
const untilAfter =
  (hotMinute: number | undefined, { settledMinute = 0 }: Observation) =>
  (minutesAgo: number): boolean =>
    hotMinute === undefined || settledMinute - minutesAgo <= hotMinute + 1;

const NO_BOUNDS: WorkerBounds = { min: 0, max: Number.POSITIVE_INFINITY };

/** What was promised to each of its models together; the least bound of those that have one. A slot in use has a worker. */
const boundsOfSlot = (
  state: ScalerState,
  group: string,
  rows: ReadonlyMap<string, ModelRow>,
): WorkerBounds => {
  const all = modelsOf(state, group);
  const residents = all.filter(([, { stage }]) => stage !== 'draining');
  if (residents.length === 0) {
    // While the last one is being led away, calls may still arrive: its workers wait for them.
    const kept = all.length === 0 ? 0 : groupOf(state, group).wanted;
    return { min: kept, max: kept };
  }
  const wishes = residents.map(([model]) => rows.get(model));
  const promised = wishes.reduce((total, row) => total + (row?.minWorkers ?? 0), 0);
  const max = Math.max(1, Math.min(...wishes.map((row) => row?.maxWorkers ?? Number.POSITIVE_INFINITY)));
  return { min: Math.max(1, promised), max };
};

/** What is measured now is remembered for when there is nothing to measure. */
export const remember = (record: GroupRecord, { load, path }: Target): GroupRecord => ({
  ...record,
  callSeconds: load.callSeconds,
  path,
});
