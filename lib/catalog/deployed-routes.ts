import type { DeployedGroups } from './deployed-groups.ts';
import type { Routes } from './routes.ts';

/** Reads the routes, as far as they lead to groups of this deployment. */
export const deployedRoutes = (
  source: { readonly readRoutes: () => Promise<Routes | undefined> },
  groups: Pick<DeployedGroups, 'cold' | 'hot' | 'functionName'>,
): { readonly readRoutes: () => Promise<Routes | undefined> } => ({
  async readRoutes() {
    const routes = await source.readRoutes();
    return routes && limitRoutes(routes, groups);
  },
});

/**
 * A deployment with fewer groups has removed functions that the routes may name until the scaler has written new ones: models of a slot
 * that is gone are cold, and shards that are gone are left out. Pure.
 */
export const limitRoutes = (
  routes: Routes,
  { cold, hot, functionName }: Pick<DeployedGroups, 'cold' | 'hot' | 'functionName'>,
): Routes => {
  const known = new Set([...cold, ...hot].map(functionName));
  const coldGroups = routes.coldGroups.filter((group) => cold.includes(group));
  return {
    ...routes,
    coldGroups: coldGroups.length === 0 ? cold : coldGroups,
    hot: new Map([...routes.hot].filter(([, target]) => known.has(target.functionName))),
  };
};
