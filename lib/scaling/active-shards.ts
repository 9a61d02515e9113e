import type { Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import { chooseShards } from './shards.ts';
import type { ScalerState } from './state.ts';
import type { Step } from './step.ts';
import { activeGroups } from './tiers.ts';

/** R11. Fewer shards, or more, share the cold models. */
export const chooseActiveShards = (state: ScalerState, observation: Observation, policy: Policy): Step => {
  const active = activeGroups(state, policy);
  const seen = active.flatMap((group) => observation.groups.get(group) ?? []);
  const shards = chooseShards({
    current: active.length,
    deployed: policy.coldGroups.length,
    seen,
    minuteMs: policy.minuteMs,
    knownMinutes: observation.knownMinutes,
    steadyMinutes: (observation.nowMs - (state.shardsChangedAtMs ?? 0)) / policy.minuteMs,
  });
  if (shards === active.length) return { state, decisions: [] };
  return {
    state: { ...state, activeShards: shards, shardsChangedAtMs: observation.nowMs },
    decisions: [
      {
        rule: 'R11',
        about: 'fleet',
        name: 'cold shards',
        action: `${active.length} -> ${shards} shards`,
        reason:
          shards > active.length
            ? 'for ten minutes there was more than these can hold or keep busy'
            : 'for an hour fewer would have held what is called, and stayed warmer',
        inputs: { deployed: policy.coldGroups.length },
        isMove: true,
      },
    ],
  };
};
