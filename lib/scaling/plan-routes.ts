import type { Routes } from '../catalog/routes.ts';

/**
 * The routes that should be, given those that are and the cold groups deployed. Pure.
 * @returns `undefined` when nothing has to change, so that a quiet endpoint writes nothing.
 */
export const planRoutes = (
  current: Routes | undefined,
  deployedColdGroups: readonly string[],
): Routes | undefined => {
  if (current === undefined) return { epoch: 1, coldGroups: deployedColdGroups, hot: new Map() };
  if (sameNames(current.coldGroups, deployedColdGroups)) return undefined;
  return { ...current, epoch: current.epoch + 1, coldGroups: deployedColdGroups };
};

const sameNames = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((name, index) => name === right[index]);
