import { chooseActiveShards } from './active-shards.ts';
import { noteFleet } from './allocations.ts';
import { type Call, planCalls } from './calls.ts';
import type { Decision } from './decision.ts';
import type { Observation } from './observation.ts';
import { movePlacements } from './placements.ts';
import type { Policy } from './policy.ts';
import type { ScalerState } from './state.ts';
import type { Step } from './step.ts';
import { chooseSuccessors } from './successors.ts';
import { chooseTiers } from './tiers.ts';
import { followVersions } from './versions.ts';
import { chooseGroupWorkers } from './workers.ts';

/** What a tick has decided. */
export interface Plan {
  /** To be remembered; with a new epoch where anything changed. */
  readonly state: ScalerState;
  readonly calls: readonly Call[];
  readonly decisions: readonly Decision[];
}

type Rule = (state: ScalerState, observation: Observation, policy: Policy) => Step;

const RULES: readonly Rule[] = [
  noteFleet,
  followVersions,
  movePlacements,
  chooseTiers,
  chooseActiveShards,
  chooseGroupWorkers,
  chooseSuccessors,
];

/**
 * The whole policy, pure: what was seen and what was decided before give what is to be. Rule by rule it is told in
 * docs/scaling.md.
 */
export const decide = (before: ScalerState, observation: Observation, policy: Policy): Plan => {
  if (observation.settledMinute === undefined) return hold(before, BLIND);
  if (observation.isIdle) return hold(before, IDLE);

  let state = withoutGone(withAccount(before, observation), policy);
  const decisions: Decision[] = [];
  for (const rule of RULES) {
    const step = rule(state, observation, policy);
    state = step.state;
    decisions.push(...step.decisions);
  }
  return { state, calls: planCalls(state, observation, policy), decisions };
};

const withAccount = (state: ScalerState, { account, nowMs }: Observation): ScalerState =>
  account === undefined ? state : { ...state, account: { ...account, readAtMs: nowMs } };

/** Groups that are no longer deployed are gone with their workers. */
const withoutGone = (state: ScalerState, { coldGroups, hotGroups }: Policy): ScalerState => {
  const deployed = new Set([...coldGroups, ...hotGroups]);
  const groups = new Map([...state.groups].filter(([name]) => deployed.has(name)));
  return groups.size === state.groups.size ? state : { ...state, groups };
};

const hold = (state: ScalerState, decision: Decision): Plan => ({ state, calls: [], decisions: [decision] });

const BLIND: Decision = {
  rule: 'R1',
  about: 'fleet',
  name: 'all',
  action: 'hold',
  reason:
    'CloudWatch has had nothing of the scaler itself for more than 6 minutes, so silence would say nothing',
  inputs: {},
  isMove: false,
};

const IDLE: Decision = {
  rule: 'R12',
  about: 'fleet',
  name: 'all',
  action: 'hold',
  reason: 'nobody has called for 15 minutes, and nothing is provisioned',
  inputs: {},
  isMove: false,
};
