import { paidFor, requestedOf, whyPaused } from './allocations.ts';
import { budgetOf } from './budget.ts';
import type { Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import { type GroupRecord, groupOf, modelsOf, type ScalerState } from './state.ts';

/** One call of Lambda's control plane. */
export type Call =
  | { readonly kind: 'remove'; readonly group: string; readonly version: string }
  | { readonly kind: 'put'; readonly group: string; readonly version: string; readonly workers: number };

/**
 * R10. What has to be asked of Lambda so that what is there becomes what is wanted, from what was really seen: so it does
 * not matter where the tick before this one ended. Removals first, then downs, then ups.
 */
export const planCalls = (state: ScalerState, observation: Observation, policy: Policy): readonly Call[] => {
  const names = [...policy.coldGroups, ...policy.hotGroups];
  const removals = names.flatMap((name) => planRemovals(name, groupOf(state, name), observation.nowMs));
  const puts = names.flatMap((name) => planPut(name, groupOf(state, name), observation.nowMs));
  const isDown = ({ group, version, workers }: Call & { kind: 'put' }): boolean =>
    workers < requestedOf(groupOf(state, group), version);
  const successors = planSuccessors(state, puts, policy, observation.nowMs);
  return [...removals, ...puts.filter(isDown), ...puts.filter((put) => !isDown(put)), ...successors];
};

const planRemovals = (name: string, record: GroupRecord, nowMs: number): readonly Call[] =>
  record.allocations
    .filter(({ version, status }) => {
      if (status === 'FAILED' || whyPaused(record, nowMs) !== undefined) return true;
      if (version === record.version) return record.wanted === 0;
      if (version === record.liveVersion) return record.badVersion === version || record.wanted === 0;
      return !record.leaving.some((leaving) => leaving.version === version);
    })
    .map(({ version }) => ({ kind: 'remove', group: name, version }));

const planPut = (
  name: string,
  record: GroupRecord,
  nowMs: number,
): readonly (Call & { readonly kind: 'put' })[] => {
  const { version, wanted } = record;
  if (version === undefined || wanted === 0 || whyPaused(record, nowMs) !== undefined) return [];
  const current = record.allocations.find((each) => each.version === version);
  if (current?.requested === wanted || current?.status === 'IN_PROGRESS') return [];
  return [{ kind: 'put', group: name, version, workers: wanted }];
};

/** A slot whose function has a new version gets as many workers of that one, slot by slot as the budget has room. */
const planSuccessors = (
  state: ScalerState,
  puts: readonly (Call & { readonly kind: 'put' })[],
  policy: Policy,
  nowMs: number,
): readonly Call[] => {
  const names = [...policy.coldGroups, ...policy.hotGroups];
  const paid = names.reduce((total, name) => total + paidFor(groupOf(state, name)), 0);
  const asked = puts.reduce(
    (total, { group, version, workers }) =>
      total + Math.max(0, workers - requestedOf(groupOf(state, group), version)),
    0,
  );
  let free = budgetOf(policy.workerBudget, state.account) - paid - asked;
  return policy.hotGroups.flatMap((name): readonly Call[] => {
    const record = groupOf(state, name);
    const { version, liveVersion, badVersion, wanted } = record;
    const needed = wanted - requestedOf(record, liveVersion);
    const isDue =
      liveVersion !== undefined &&
      liveVersion !== version &&
      liveVersion !== badVersion &&
      wanted > 0 &&
      whyPaused(record, nowMs) === undefined &&
      modelsOf(state, name).some(([, { stage }]) => stage === 'hot') &&
      !record.allocations.some((each) => each.version === liveVersion);
    if (!isDue || needed > free) return [];
    free -= needed;
    return [{ kind: 'put', group: name, version: liveVersion, workers: wanted }];
  });
};
