import { committedTo, isPending } from './allocations.ts';
import { budgetOf, shareBudget } from './budget.ts';
import { brief, type Decision } from './decision.ts';
import type { Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import { findOddSpillover } from './spillover.ts';
import { type GroupRecord, groupOf, modelsOf, type ScalerState, withGroup } from './state.ts';
import type { Step } from './step.ts';
import { chooseTargets, remember, type Target } from './targets.ts';
import { isMigrating } from './versions.ts';
import { dollarsPerHour, type OnDemandPath, worthsOfWorkers } from './worth.ts';

const CHANGE_EVERY_MINUTES = 3;

/** R5 and R8. How many workers each group is to have from now on. */
export const chooseGroupWorkers = (before: ScalerState, observation: Observation, policy: Policy): Step => {
  const targets = chooseTargets(before, observation, policy);
  const budget = budgetOf(policy.workerBudget, before.account);
  const path = worstPath(targets);
  const claims = targets.map(({ group, workers, bounds, load, paused }) => ({
    group,
    target: workers,
    min: paused === undefined ? Math.min(bounds.min, workers) : 0,
    worths: worthsOfWorkers(workers, load, path, policy),
  }));
  const given = shareBudget(claims, budget);
  const firstWorth = new Map(claims.map(({ group, worths }) => [group, worths[0] ?? 0]));

  const decisions: Decision[] = [];
  let state = before;
  // Those that go down first: an up waits until what it needs is free.
  const ordered = targets.toSorted(
    (a, b) =>
      change(a, given) - change(b, given) ||
      (firstWorth.get(b.group) ?? 0) - (firstWorth.get(a.group) ?? 0) ||
      (a.group < b.group ? -1 : 1),
  );
  let free =
    budget -
    [...policy.coldGroups, ...policy.hotGroups].reduce(
      (total, name) => total + committedTo(groupOf(before, name)),
      0,
    );
  for (const target of ordered) {
    const record = groupOf(state, target.group);
    const granted = given.get(target.group) ?? 0;
    const chosen = choose(state, target, granted, free, observation.nowMs, policy);
    free -= Math.max(0, chosen.workers - target.current);
    state = withGroup(state, target.group, {
      ...remember(record, target),
      wanted: chosen.workers,
      ...(chosen.workers === target.current ? {} : { changedAtMs: observation.nowMs }),
    });
    decisions.push(describe(target, chosen, { granted, budget }, policy));
    decisions.push(...alarm(target, record, observation, policy));
  }
  return { state, decisions };
};

/**
 * For sharing a budget all groups are taken to meet the same on demand, the worst that any does: a group with workers knows
 * little of it, and one that has had a quiet hour less. Who has how many calls decides then, and how long they take.
 */
const worstPath = (targets: readonly Target[]): OnDemandPath => ({
  startSeconds: Math.max(0, ...targets.map(({ path }) => path.startSeconds)),
  slowShare: Math.max(0, ...targets.map(({ path }) => path.slowShare)),
});

const alarm = (
  { group, current }: Target,
  { changedAtMs = Number.NEGATIVE_INFINITY }: GroupRecord,
  { groups, nowMs }: Observation,
  { minuteMs }: Policy,
): readonly Decision[] => {
  const steadyMinutes = (nowMs - changedAtMs) / minuteMs;
  const odd = findOddSpillover({ seen: groups.get(group), workers: current, steadyMinutes, minuteMs });
  if (odd === undefined) return [];
  return [
    {
      rule: 'R5',
      about: 'group',
      name: group,
      action: 'alarm: spillover',
      reason:
        'for ten minutes calls have not found its workers as they should: look at its version and its throttles',
      inputs: { spilled: brief(odd.spilled), expected: brief(odd.expected), workers: current },
      isMove: false,
    },
  ];
};

const change = ({ group, current }: Target, given: ReadonlyMap<string, number>): number =>
  (given.get(group) ?? 0) - current;

interface Chosen {
  readonly workers: number;
  readonly rule: string;
  readonly reason: string;
}

const choose = (
  state: ScalerState,
  target: Target,
  granted: number,
  free: number,
  nowMs: number,
  policy: Policy,
): Chosen => {
  const { current, paused, workers } = target;
  const record = groupOf(state, target.group);
  const hold = (reason: string): Chosen => ({ workers: current, rule: 'R5', reason });

  if (paused !== undefined && granted >= current) return hold(paused);
  if (granted === current) return explainHold(target, granted);
  if (isMigrating(record, nowMs)) return hold('its models are on their way to a new version');
  // A slot that nobody uses any more is not paid for a moment longer.
  const isEmpty = granted === 0 && isUnused(state, target.group, policy);
  if (!isEmpty && isPending(record))
    return hold('workers are on their way: nothing changes until they are there');
  const restMs = nowMs - (record.changedAtMs ?? Number.NEGATIVE_INFINITY);
  if (!isEmpty && restMs < CHANGE_EVERY_MINUTES * policy.minuteMs) {
    return hold(`it changed less than ${CHANGE_EVERY_MINUTES} minutes ago`);
  }

  if (granted < current) return explainDown(target, granted);
  const affordable = Math.min(granted, current + Math.max(0, free));
  if (affordable === current) {
    return { workers: current, rule: 'R8', reason: 'it waits until other groups have released workers' };
  }
  return {
    workers: affordable,
    rule: affordable < workers ? 'R8' : 'R5',
    reason:
      affordable < workers
        ? `its load is worth ${workers}, and the budget has no more for it`
        : `in each of the last two minutes its load was worth ${target.up}${target.up === target.bounds.min ? ', or it was promised' : ''}`,
  };
};

const isUnused = (state: ScalerState, group: string, { hotGroups }: Policy): boolean =>
  hotGroups.includes(group) && modelsOf(state, group).length === 0;

const explainHold = ({ workers, current, up, down }: Target, granted: number): Chosen => ({
  workers: current,
  rule: granted < workers ? 'R8' : 'R5',
  reason:
    granted < workers
      ? `its load is worth ${workers}, and the budget has no more for it`
      : current === 0
        ? 'no worker would be worth its price'
        : `its load is worth ${up} now, and was worth at most ${down} in the last ten minutes`,
});

const explainDown = ({ workers, down }: Target, granted: number): Chosen => ({
  workers: granted,
  rule: granted < workers ? 'R8' : 'R5',
  reason:
    granted < workers
      ? 'others need the budget more'
      : `its load was worth at most ${down} in all of the last ten minutes`,
});

const describe = (
  target: Target,
  { workers, rule, reason }: Chosen,
  { granted, budget }: { readonly granted: number; readonly budget: number },
  policy: Policy,
): Decision => {
  const { group, current, load, path } = target;
  return {
    rule,
    about: 'group',
    name: group,
    action: workers === current ? `hold ${current}` : `${current} -> ${workers} workers`,
    reason,
    inputs: {
      callsPerSecond: brief(load.callsPerSecond),
      erlangs: brief(load.erlangs),
      callMs: brief(1000 * load.callSeconds),
      slowShare: brief(path.slowShare),
      startMs: brief(1000 * path.startSeconds),
      up: target.up,
      down: target.down,
      granted,
      budget,
    },
    dollarsBefore: brief(dollarsPerHour(current, load, path, policy)),
    dollarsAfter: brief(dollarsPerHour(workers, load, path, policy)),
    isMove: workers !== current,
  };
};
