import { hasWish } from '../catalog/model-row.ts';
import { rankGroups } from '../routing/rendezvous.ts';
import { availableOf, whyPaused } from './allocations.ts';
import { budgetOf } from './budget.ts';
import { filledLately, isBusyEnough, whyDemote } from './candidates.ts';
import { brief, type Decision } from './decision.ts';
import { latestLoad, pathOf, sum } from './demand.ts';
import type { Observation } from './observation.ts';
import { leave } from './placements.ts';
import type { Policy } from './policy.ts';
import { chooseSlot, type Newcomer, type Slot } from './slots.ts';
import {
  type GroupRecord,
  groupOf,
  modelsOf,
  type Placement,
  type ScalerState,
  withGroup,
  withModel,
} from './state.ts';
import type { Step } from './step.ts';
import { worthOfWorker } from './worth.ts';

/** R6 and R7. Which models get workers of their own, and where. Demotions first: they make room. */
export const chooseTiers = (before: ScalerState, observation: Observation, policy: Policy): Step => {
  const demoted = demote(before, observation, policy);
  const promoted = promote(demoted.state, observation, policy);
  return { state: promoted.state, decisions: [...demoted.decisions, ...promoted.decisions] };
};

const demote = (before: ScalerState, observation: Observation, policy: Policy): Step => {
  const { minuteMs } = policy;
  const decisions: Decision[] = [];
  let state = before;
  const settledMinute = observation.settledMinute ?? 0;
  for (const [model, placement] of before.models) {
    if (placement.stage === 'draining' || isUnheard(before, placement.group, observation)) continue;
    const sinceMinute = placement.hotMinute ?? Math.ceil(placement.sinceMs / minuteMs);
    const hotMinutes = settledMinute - sinceMinute;
    const why = whyDemote(observation.models.get(model), observation.rows.get(model), {
      minuteMs,
      hotMinutes,
    });
    if (why === undefined) continue;
    const moved = leave(state, model, placement, observation, why, 'R6');
    state = moved.state;
    decisions.push(moved.decision);
  }
  return { state, decisions };
};

/** A slot is called much more than its workers say of its models: what they do not say is not idleness. */
const isUnheard = (state: ScalerState, group: string, { groups, models }: Observation): boolean => {
  const calls = sum(groups.get(group)?.calls.slice(-HEARD_MINUTES) ?? []);
  const told = modelsOf(state, group).reduce(
    (total, [model]) => total + sum(models.get(model)?.calls.slice(-HEARD_MINUTES) ?? []),
    0,
  );
  return calls > LEAST_CALLS && told < calls / 2;
};

const HEARD_MINUTES = 10;
const LEAST_CALLS = 100;

const promote = (before: ScalerState, observation: Observation, policy: Policy): Step => {
  const decisions: Decision[] = [];
  let state = before;
  for (const newcomer of newcomers(before, observation, policy)) {
    const { state: next, decision } = place(state, newcomer, observation, policy);
    state = next;
    decisions.push(decision);
  }
  return { state, decisions };
};

/** What deserves a slot and has none, the busiest first; those that somebody pinned before all others. */
const newcomers = (
  state: ScalerState,
  { models, rows }: Observation,
  policy: Policy,
): readonly Newcomer[] => {
  const names = new Set([...models.keys(), ...[...rows.values()].filter(hasWish).map(({ model }) => model)]);
  return [...names]
    .filter((model) => !state.models.has(model))
    .map((model) => {
      const seen = models.get(model);
      const filled = seen === undefined ? 0 : filledLately(seen, policy.minuteMs);
      return { model, row: rows.get(model), filled };
    })
    .filter(({ model, row }) => {
      const seen = models.get(model);
      return (
        (row !== undefined && hasWish(row)) || (seen !== undefined && isBusyEnough(seen, policy.minuteMs))
      );
    })
    .sort(
      (a, b) =>
        Number(b.row !== undefined && hasWish(b.row)) - Number(a.row !== undefined && hasWish(a.row)) ||
        b.filled - a.filled ||
        (a.model < b.model ? -1 : 1),
    );
};

const place = (
  state: ScalerState,
  newcomer: Newcomer,
  observation: Observation,
  policy: Policy,
): { readonly state: ScalerState; readonly decision: Decision } => {
  const { model, row, filled } = newcomer;
  const say = sayOf(newcomer);
  const barred = state.barred.get(model);
  if (barred !== undefined) return { state, decision: say('stay cold', barred.why) };
  if (budgetOf(policy.workerBudget, state.account) < 1) {
    return {
      state,
      decision: say('stay cold', 'the budget has no worker: workerBudget, or what the account has left'),
    };
  }

  const home = rankGroups(model, activeGroups(state, policy))[0] ?? '';
  const path = pathOf(observation.groups.get(home), groupOf(state, home).path);
  const seen = observation.models.get(model);
  const wish = row !== undefined && hasWish(row);
  if (!wish && seen !== undefined) {
    const load = latestLoad(seen, policy.minuteMs);
    const worth = worthOfWorker(1, load, path, policy);
    if (worth <= 0) {
      return {
        state,
        decision: say('stay cold', 'a worker of its own costs more than it saves', { worth: brief(worth) }),
      };
    }
  }

  const slots = slotsOf(state, observation, policy);
  const choice = chooseSlot(newcomer, slots, policy);
  if (choice.kind === 'none') return { state, decision: say('stay cold', choice.why) };
  if (choice.kind === 'replace') {
    const leaving = state.models.get(choice.leaving);
    if (leaving === undefined) return { state, decision: say('stay cold', 'no slot is free') };
    const moved = leave(
      state,
      choice.leaving,
      leaving,
      observation,
      `${model} is at least twice as busy and takes its place`,
      'R7',
    );
    return { state: moved.state, decision: moved.decision };
  }

  const { group, isDedicated, isLazy } = choice;
  const placement: Placement = isLazy
    ? {
        group,
        stage: 'hot',
        sinceMs: observation.nowMs,
        hotMinute: Math.floor(observation.nowMs / policy.minuteMs),
        isDedicated,
      }
    : { group, stage: 'warming', sinceMs: observation.nowMs, isDedicated };
  const record = groupOf(state, group);
  const isFirst = modelsOf(state, group).length === 0;
  const withPath = isFirst ? withGroup(state, group, { ...record, path, callSeconds: undefined }) : state;
  const why = wish
    ? row.pinned === true
      ? 'it is pinned'
      : `${row.minWorkers} workers were promised to it`
    : `it filled ${brief(filled)} workers in the last minute`;
  return {
    state: withModel(withPath, model, placement),
    decision: say(
      `cold -> ${placement.stage}`,
      `${why}; ${group} is ${isFirst ? 'free' : isLazy ? 'shared, and its workers load it when it is called' : 'shared, and its workers are on their way'}`,
      { group },
      true,
    ),
  };
};

const sayOf =
  ({ model, filled }: Newcomer) =>
  (action: string, reason: string, inputs: Decision['inputs'] = {}, isMove = false): Decision => ({
    rule: 'R7',
    about: 'model',
    name: model,
    action,
    reason,
    inputs: { filled: brief(filled), ...inputs },
    isMove,
  });

/** Whether a slot may take models: its version is known and stays, and its workers come. */
export const isUsable = (record: GroupRecord, nowMs: number): boolean =>
  record.version !== undefined &&
  record.liveVersion === record.version &&
  whyPaused(record, nowMs) === undefined;

const slotsOf = (
  state: ScalerState,
  { models, rows, nowMs }: Observation,
  { hotGroups, minuteMs }: Policy,
): readonly Slot[] =>
  hotGroups.map((group) => {
    const record = groupOf(state, group);
    return {
      group,
      isUsable: isUsable(record, nowMs),
      isStarted: record.allocations.length > 0,
      isReady: availableOf(record, record.version) > 0,
      residents: modelsOf(state, group).map(([model, { stage, isDedicated }]) => {
        const seen = models.get(model);
        return {
          model,
          row: rows.get(model),
          filled: seen === undefined ? 0 : filledLately(seen, minuteMs),
          stage,
          isDedicated,
        };
      }),
    };
  });

/** The cold groups that share the models now. */
export const activeGroups = (state: ScalerState, { coldGroups }: Policy): readonly string[] =>
  coldGroups.slice(0, Math.max(1, state.activeShards ?? coldGroups.length));
