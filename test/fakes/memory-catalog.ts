import type { Catalog, Group } from '../../lib/catalog/catalog.ts';
import type { Routes } from '../../lib/catalog/routes.ts';

/** The Catalog port in memory. */
export const memoryCatalog = (): Catalog => {
  const groups = new Map<string, Group>();
  let routes: Routes | undefined;

  return {
    readRoutes: async () => routes,
    writeRoutes: async (next, expectedEpoch) => {
      if (routes?.epoch !== expectedEpoch) return false;
      routes = next;
      return true;
    },
    listGroups: async (names) =>
      names.flatMap((name) => {
        const group = groups.get(name);
        return group === undefined ? [] : [{ ...group, preloads: new Map() }];
      }),
    putGroup: async (group) => {
      groups.set(group.name, group);
    },
  };
};
