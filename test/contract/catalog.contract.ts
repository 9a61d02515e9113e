import { beforeEach, describe, expect, it } from 'vitest';
import type { Catalog, Group, GroupRow } from '../../lib/catalog/catalog.ts';
import { routes } from '../fakes/builders.ts';

/** What every Catalog must do; `create` gives an empty one. */
export const catalogContract = (name: string, create: () => Promise<Catalog>): void => {
  describe(`Catalog: ${name}`, () => {
    let catalog: Catalog;
    beforeEach(async () => {
      catalog = await create();
    });

    it('has no routes before they are written', async () => {
      expect(await catalog.readRoutes()).toBeUndefined();
    });

    it('reads back the routes it was given', async () => {
      const hot = new Map([['tenant-7/ü churn.tar.gz', { functionName: 'mme-hot-00', qualifier: '12' }]]);
      const written = routes({ epoch: 1, hot });

      expect(await catalog.writeRoutes(written, undefined)).toBe(true);

      expect(await catalog.readRoutes()).toEqual(written);
    });

    it('lets only one of two first writers win', async () => {
      await catalog.writeRoutes(routes({ epoch: 1, coldGroups: ['cold-00'] }), undefined);

      expect(await catalog.writeRoutes(routes({ epoch: 1, coldGroups: ['cold-01'] }), undefined)).toBe(false);

      expect((await catalog.readRoutes())?.coldGroups).toEqual(['cold-00']);
    });

    it('replaces routes only of the epoch that the writer has seen', async () => {
      await catalog.writeRoutes(routes({ epoch: 1 }), undefined);

      expect(await catalog.writeRoutes(routes({ epoch: 3 }), 2)).toBe(false);
      expect(await catalog.writeRoutes(routes({ epoch: 2 }), 1)).toBe(true);

      expect((await catalog.readRoutes())?.epoch).toBe(2);
    });

    it('lists the groups that it has of those asked for', async () => {
      await catalog.putGroup(group({ name: 'cold-00' }));
      await catalog.putGroup(group({ name: 'hot-01', tier: 'hot', workers: 3 }));

      const listed = await catalog.listGroups(['hot-01', 'cold-00', 'cold-09']);

      expect([...listed].sort((a, b) => a.name.localeCompare(b.name))).toEqual([
        row({ name: 'cold-00' }),
        row({ name: 'hot-01', tier: 'hot', workers: 3 }),
      ]);
      expect(await catalog.listGroups([])).toEqual([]);
    });

    it('replaces a group that is put again', async () => {
      await catalog.putGroup(group({ workers: 1 }));
      await catalog.putGroup(group({ workers: 2, models: ['a', 'b'] }));

      expect(await catalog.listGroups(['cold-00'])).toEqual([row({ workers: 2, models: ['a', 'b'] })]);
    });
  });
};

const group = (overrides: Partial<Group> = {}): Group => ({
  name: 'cold-00',
  tier: 'cold',
  functionName: 'mme-cold-00',
  workers: 0,
  models: [],
  ...overrides,
});

const row = (overrides: Partial<Group> = {}): GroupRow => ({ ...group(overrides), preloads: new Map() });
