import type { Routes, Target } from '../catalog/routes.ts';
import type { Policy } from './policy.ts';
import { groupOf, type ScalerState } from './state.ts';
import { activeGroups } from './tiers.ts';

/**
 * The routes that follow from what was decided. They say nothing that the state does not, so a tick that ends between the
 * two writes is mended by the next.
 * @returns `undefined` when those that are there say the same
 */
export const deriveRoutes = (
  current: Routes | undefined,
  state: ScalerState,
  policy: Policy,
): Routes | undefined => {
  const coldGroups = activeGroups(state, policy);
  const hot = new Map<string, Target>();
  for (const [model, { stage, group }] of state.models) {
    const { version } = groupOf(state, group);
    if (stage === 'hot' && version !== undefined && policy.hotGroups.includes(group)) {
      hot.set(model, { functionName: policy.functionPrefix + group, qualifier: version });
    }
  }
  if (current !== undefined && sameNames(current.coldGroups, coldGroups) && sameTargets(current.hot, hot)) {
    return undefined;
  }
  return { epoch: (current?.epoch ?? 0) + 1, coldGroups, hot };
};

const sameNames = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((name, index) => name === right[index]);

const sameTargets = (left: ReadonlyMap<string, Target>, right: ReadonlyMap<string, Target>): boolean =>
  left.size === right.size &&
  [...left].every(([model, target]) => {
    const other = right.get(model);
    return other?.functionName === target.functionName && other.qualifier === target.qualifier;
  });
