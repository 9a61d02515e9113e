import type { Catalog, Group, PreloadReport } from '../../lib/catalog/catalog.ts';
import type { Routes } from '../../lib/catalog/routes.ts';

export interface MemoryCatalog extends Catalog {
  /** What workers of a version say of the models that they loaded ahead. */
  report(group: string, version: string, reports: readonly PreloadReport[]): void;
}

/** The Catalog port in memory. */
export const memoryCatalog = (): MemoryCatalog => {
  const groups = new Map<string, Group>();
  const preloads = new Map<string, Map<string, readonly PreloadReport[]>>();
  let routes: Routes | undefined;

  return {
    report(group, version, reports) {
      preloads.set(group, (preloads.get(group) ?? new Map()).set(version, reports));
    },
    readRoutes: async () => routes,
    writeRoutes: async (next, expectedEpoch) => {
      if (routes?.epoch !== expectedEpoch) return false;
      routes = next;
      return true;
    },
    listGroups: async (names) =>
      names.flatMap((name) => {
        const group = groups.get(name);
        return group === undefined ? [] : [{ ...group, preloads: new Map(preloads.get(name)) }];
      }),
    forgetPreloads: async (group, versions) => {
      for (const version of versions) preloads.get(group)?.delete(version);
    },
    putGroup: async (group) => {
      groups.set(group.name, group);
    },
  };
};
