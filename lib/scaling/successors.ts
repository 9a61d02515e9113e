import { committedTo, whyPaused } from './allocations.ts';
import { budgetOf } from './budget.ts';
import type { Decision } from './decision.ts';
import type { Observation } from './observation.ts';
import { leave } from './placements.ts';
import type { Policy } from './policy.ts';
import { groupOf, modelsOf, type ScalerState, withGroup } from './state.ts';
import type { Step } from './step.ts';
import { isMigrating } from './versions.ts';

/** A slot that finds no worker to spare in this time goes through the cold tier. */
const PATIENCE_MINUTES = 15;

/**
 * A slot whose function has a new version gets as many workers of that one, as far as the budget has room. Without room it first
 * lets go of half of its own; one that has only one goes cold when that has lasted too long, as old code must not serve for ever.
 */
export const chooseSuccessors = (before: ScalerState, observation: Observation, policy: Policy): Step => {
  const { nowMs } = observation;
  const names = [...policy.coldGroups, ...policy.hotGroups];
  const decisions: Decision[] = [];
  let state = before;
  let free =
    budgetOf(policy.workerBudget, state.account) -
    names.reduce((total, name) => total + committedTo(groupOf(state, name)), 0);
  for (const name of policy.hotGroups) {
    const record = groupOf(state, name);
    const { wanted, successor = 0, migratingSinceMs = nowMs } = record;
    if (!isMigrating(record, nowMs) || wanted === 0 || successor > 0) continue;
    if (whyPaused(record, nowMs) !== undefined) continue;

    const affordable = Math.min(wanted, free);
    if (affordable >= 1) {
      free -= affordable;
      state = withGroup(state, name, { successor: affordable });
      decisions.push(
        say(
          name,
          `${affordable} workers of version ${record.liveVersion}`,
          'a deployment has moved alias live',
        ),
      );
    } else if (wanted >= 2) {
      state = withGroup(state, name, { wanted: Math.floor(wanted / 2), changedAtMs: nowMs });
      decisions.push(
        say(
          name,
          `${wanted} -> ${Math.floor(wanted / 2)} workers`,
          'the budget has no room for a new version beside the old',
        ),
      );
    } else if (nowMs - migratingSinceMs >= PATIENCE_MINUTES * policy.minuteMs) {
      for (const [model, placement] of modelsOf(state, name)) {
        if (placement.stage !== 'hot') continue;
        const why = `the budget has had no room for a new version of ${name} for ${PATIENCE_MINUTES} minutes`;
        const moved = leave(state, model, placement, observation, why, 'versions');
        state = moved.state;
        decisions.push(moved.decision);
      }
    }
  }
  return { state, decisions };
};

const say = (name: string, action: string, reason: string): Decision => ({
  rule: 'versions',
  about: 'group',
  name,
  action,
  reason,
  inputs: {},
  isMove: true,
});
