import type { PreloadReport } from '../catalog/catalog.ts';
import { availableOf, isPending, whyPaused } from './allocations.ts';
import type { Decision } from './decision.ts';
import type { Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import { groupOf, type Placement, type ScalerState, withModel } from './state.ts';
import type { Step } from './step.ts';

/** How long a model that its slot's workers could not open stays cold. */
const BARRED_MINUTES = 30;

/** Workers that are ready and say nothing of a model: their report was lost, or they had no room for it. */
const REPORT_MINUTES = 20;

/** A model is led to workers that are not there for no longer than this. */
const LOST_MINUTES = 10;

/** R9. Models go on from stage to stage, each only on what is really there. */
export const movePlacements = (before: ScalerState, observation: Observation, policy: Policy): Step => {
  const decisions: Decision[] = [];
  let state = before;
  for (const [model, placement] of before.models) {
    const moved = move(state, model, placement, observation, policy, isNewest(before, model, placement));
    if (moved === undefined) continue;
    state = moved.state;
    decisions.push(moved.decision);
  }
  return { state: forgetBarred(state, observation.nowMs), decisions };
};

interface Moved {
  readonly state: ScalerState;
  readonly decision: Decision;
}

const move = (
  state: ScalerState,
  model: string,
  placement: Placement,
  observation: Observation,
  policy: Policy,
  isLast: boolean,
): Moved | undefined => {
  if (!policy.hotGroups.includes(placement.group)) {
    const reason = `its slot ${placement.group} is no longer deployed`;
    return {
      state: withModel(state, model, undefined),
      decision: say(model, `${placement.stage} -> cold`, reason),
    };
  }
  if (placement.stage === 'draining') return drain(state, model, placement, observation, policy);
  const { nowMs } = observation;
  const record = groupOf(state, placement.group);
  const hasWorkers = availableOf(record, record.version) > 0;
  if (!hasWorkers && (record.quarantinedUntilMs ?? 0) > nowMs) {
    const why = `its slot ${placement.group} gets no workers: ${whyPaused(record, nowMs)}`;
    const moved = leave(state, model, placement, observation, why);
    // Of several models one may be what breaks their workers: most likely the one that came last.
    return isLast ? bar(moved, model, why, nowMs, policy.minuteMs) : moved;
  }
  if (placement.stage === 'warming') return warm(state, model, placement, observation, policy);
  const isLost = !hasWorkers && !isPending(record) && record.wanted === 0;
  if (isLost && nowMs - placement.sinceMs >= LOST_MINUTES * policy.minuteMs) {
    const why = `its slot ${placement.group} has no workers, and the budget none for it`;
    return bar(leave(state, model, placement, observation, why), model, why, nowMs, policy.minuteMs);
  }
  return undefined;
};

const isNewest = (state: ScalerState, model: string, { group }: Placement): boolean => {
  const residents = [...state.models].filter(
    ([, other]) => other.group === group && other.stage !== 'draining',
  );
  const [newest] = residents.sort(
    ([, a], [, b]) => Number(b.stage === 'warming') - Number(a.stage === 'warming') || b.sinceMs - a.sinceMs,
  );
  return newest?.[0] === model;
};

const bar = (moved: Moved, model: string, why: string, nowMs: number, minuteMs: number): Moved => ({
  ...moved,
  state: {
    ...moved.state,
    barred: new Map(moved.state.barred).set(model, { untilMs: nowMs + BARRED_MINUTES * minuteMs, why }),
  },
});

const warm = (
  state: ScalerState,
  model: string,
  placement: Placement,
  observation: Observation,
  policy: Policy,
): Moved | undefined => {
  const { nowMs, preloads } = observation;
  const { minuteMs } = policy;
  const { group, sinceMs } = placement;
  const record = groupOf(state, group);
  const { version } = record;
  if (version === undefined || availableOf(record, version) === 0) {
    if (isPending(record) || nowMs - sinceMs < REPORT_MINUTES * minuteMs) return undefined;
    const why = `${group} has had no workers for it in ${REPORT_MINUTES} minutes`;
    return bar(leave(state, model, placement, observation, why), model, why, nowMs, minuteMs);
  }
  const report = preloads.get(group)?.get(version)?.find(isAbout(model, sinceMs));
  if (report === undefined) return waitForReport(state, model, placement, observation, policy);
  if (report.error !== undefined) {
    const why = `workers of ${group} could not open it: ${report.error}`;
    const barred = new Map(state.barred).set(model, { untilMs: nowMs + BARRED_MINUTES * minuteMs, why });
    return {
      state: { ...withModel(state, model, undefined), barred },
      decision: say(model, 'warming -> cold', `${why}; for ${BARRED_MINUTES} minutes it stays cold`),
    };
  }
  return {
    state: withModel(state, model, {
      ...placement,
      stage: 'hot',
      sinceMs: nowMs,
      hotMinute: Math.floor(nowMs / minuteMs),
    }),
    decision: say(model, 'warming -> hot', `the workers of ${group} are ready and have opened it`, {
      group,
      version,
      loadMs: Math.round(report.tookMs),
    }),
  };
};

/** It came when the workers had read what to load: they load it on their first call, if that is quick. */
const waitForReport = (
  state: ScalerState,
  model: string,
  placement: Placement,
  observation: Observation,
  { minuteMs, lazyLoadMs }: Policy,
): Moved | undefined => {
  const { nowMs, rows } = observation;
  const loadMs = rows.get(model)?.loadMs;
  const { allocations, version } = groupOf(state, placement.group);
  const isSettled = allocations.every((each) => each.version !== version || each.status === 'READY');
  if (loadMs !== undefined && loadMs <= lazyLoadMs && isSettled) {
    return {
      state: withModel(state, model, {
        ...placement,
        stage: 'hot',
        sinceMs: nowMs,
        hotMinute: Math.floor(nowMs / minuteMs),
      }),
      decision: say(
        model,
        'warming -> hot',
        `the workers of ${placement.group} are ready and load it quickly`,
        {
          loadMs: Math.round(loadMs),
        },
      ),
    };
  }
  if (nowMs - placement.sinceMs < REPORT_MINUTES * minuteMs) return undefined;
  const why = `the workers of ${placement.group} have not said for ${REPORT_MINUTES} minutes that they can open it`;
  return bar(leave(state, model, placement, observation, why), model, why, nowMs, minuteMs);
};

const isAbout =
  (model: string, sinceMs: number) =>
  (report: PreloadReport): boolean =>
    report.model === model && (report.atMs ?? Number.POSITIVE_INFINITY) >= sinceMs;

/** Whoever routed by older routes has been answered when two lifetimes of routes and the longest door are over. */
const drain = (
  state: ScalerState,
  model: string,
  placement: Placement,
  { nowMs, routes }: Observation,
  { drainMs }: Policy,
): Moved | undefined => {
  const isRouted = routes?.hot.has(model) === true;
  const routedAwayAtMs = isRouted ? undefined : (placement.routedAwayAtMs ?? nowMs);
  if (routedAwayAtMs !== undefined && nowMs - routedAwayAtMs >= drainMs) {
    return {
      state: withModel(state, model, undefined),
      decision: say(model, 'draining -> cold', `no call can be on its way to ${placement.group} any more`),
    };
  }
  if (routedAwayAtMs === placement.routedAwayAtMs) return undefined;
  const { routedAwayAtMs: _, ...rest } = placement;
  return {
    state: withModel(state, model, {
      ...rest,
      ...(routedAwayAtMs === undefined ? {} : { routedAwayAtMs }),
    }),
    decision: { ...say(model, 'draining', 'routes no longer name it'), isMove: false },
  };
};

/** A model on its way to hot was never routed to its slot: it is cold at once. */
export const leave = (
  state: ScalerState,
  model: string,
  placement: Placement,
  { nowMs }: Pick<Observation, 'nowMs'>,
  reason: string,
  rule = 'R9',
): Moved => {
  const next: Placement | undefined =
    placement.stage === 'warming' ? undefined : { ...placement, stage: 'draining', sinceMs: nowMs };
  return {
    state: withModel(state, model, next),
    decision: {
      ...say(model, `${placement.stage} -> ${next?.stage ?? 'cold'}`, reason, { group: placement.group }),
      rule,
    },
  };
};

const forgetBarred = (state: ScalerState, nowMs: number): ScalerState => {
  const barred = new Map([...state.barred].filter(([, { untilMs }]) => untilMs > nowMs));
  return barred.size === state.barred.size ? state : { ...state, barred };
};

const say = (model: string, action: string, reason: string, inputs: Decision['inputs'] = {}): Decision => ({
  rule: 'R9',
  about: 'model',
  name: model,
  action,
  reason,
  inputs,
  isMove: true,
});
