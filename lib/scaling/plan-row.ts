import { rankGroups } from '../routing/rendezvous.ts';
import { availableOf, paidFor } from './allocations.ts';
import { budgetOf } from './budget.ts';
import { workersFilled } from './candidates.ts';
import type { Plan } from './decide.ts';
import { brief, type Decision } from './decision.ts';
import type { Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import type { PlannedGroup, PlannedModel, PlanRow } from './scaler-store.ts';
import { groupOf } from './state.ts';
import { activeGroups } from './tiers.ts';

/** An item may have 400 KB; a plan that people read has a few. */
const MAX_MODELS = 100;
const MAX_DECISIONS = 120;
const MAX_REASON = 300;

/** What people are told of a tick. */
export const describePlan = (
  { state, decisions }: Plan,
  observation: Observation,
  policy: Policy,
): PlanRow => ({
  atMs: observation.nowMs,
  epoch: state.epoch,
  activeShards: activeGroups(state, policy).length,
  deployedShards: policy.coldGroups.length,
  budget: budgetOf(policy.workerBudget, state.account),
  groups: [...policy.coldGroups, ...policy.hotGroups].map((group): PlannedGroup => {
    const record = groupOf(state, group);
    const decision = decisions.find(({ about, name }) => about === 'group' && name === group);
    return {
      group,
      tier: policy.hotGroups.includes(group) ? 'hot' : 'cold',
      ...(record.version === undefined ? {} : { version: record.version }),
      workers: paidFor(record),
      ready: availableOf(record, record.version),
      wanted: record.wanted,
      callsPerSecond: Number(decision?.inputs['callsPerSecond'] ?? 0),
      erlangs: Number(decision?.inputs['erlangs'] ?? 0),
      dollarsPerHour: decision?.dollarsAfter ?? 0,
    };
  }),
  models: describeModels({ state }, observation, policy),
  decisions: mostTelling(decisions),
});

/** Those that are placed, and of the others the busiest. */
const describeModels = (
  { state }: Pick<Plan, 'state'>,
  { models }: Observation,
  policy: Policy,
): readonly PlannedModel[] => {
  const shards = activeGroups(state, policy);
  const describe = (model: string): PlannedModel => {
    const seen = models.get(model);
    const placement = state.models.get(model);
    return {
      model,
      stage: placement?.stage ?? 'cold',
      group: placement?.group ?? rankGroups(model, shards)[0] ?? '',
      filled: seen === undefined ? 0 : brief(workersFilled(seen, 0, policy.minuteMs)),
    };
  };
  const cold = [...models.keys()].filter((model) => !state.models.has(model)).map(describe);
  return [...[...state.models.keys()].map(describe), ...cold.sort((a, b) => b.filled - a.filled)].slice(
    0,
    MAX_MODELS,
  );
};

const mostTelling = (decisions: readonly Decision[]): readonly Decision[] =>
  decisions
    .toSorted((a, b) => Number(b.isMove) - Number(a.isMove))
    .slice(0, MAX_DECISIONS)
    .map((decision) => ({ ...decision, reason: decision.reason.slice(0, MAX_REASON) }));
