import { describe, expect, it } from 'vitest';
import { createScaler } from '../../../functions/scaler/scaler.ts';
import type { Catalog } from '../../../lib/catalog/catalog.ts';
import { deployedGroups } from '../../../lib/catalog/deployed-groups.ts';
import { routes } from '../../fakes/builders.ts';
import { memoryCatalog } from '../../fakes/memory-catalog.ts';

const groups = (coldShards: number) => deployedGroups({ functionPrefix: 'mme-', coldShards, hotSlots: 1 });

describe('a tick of the scaler', () => {
  it('writes routes and a row for every group of a new deployment', async () => {
    const catalog = memoryCatalog();

    const report = await createScaler({ catalog, groups: groups(2) })();

    expect(report).toEqual({ epoch: 1, activeColdGroups: 2, routes: 'written', groupRowsWritten: 3 });
    expect((await catalog.readRoutes())?.coldGroups).toEqual(['cold-00', 'cold-01']);
    expect(await catalog.listGroups(['hot-00'])).toEqual([
      {
        name: 'hot-00',
        tier: 'hot',
        functionName: 'mme-hot-00',
        workers: 0,
        models: [],
        preloads: new Map(),
      },
    ]);
  });

  it('writes nothing when nothing has changed', async () => {
    const catalog = memoryCatalog();
    await createScaler({ catalog, groups: groups(2) })();

    expect(await createScaler({ catalog, groups: groups(2) })()).toEqual({
      epoch: 1,
      activeColdGroups: 2,
      routes: 'kept',
      groupRowsWritten: 0,
    });
  });

  it('does not reset the workers of a group that it knows', async () => {
    const catalog = memoryCatalog();
    await createScaler({ catalog, groups: groups(2) })();
    await catalog.putGroup({
      name: 'cold-00',
      tier: 'cold',
      functionName: 'mme-cold-00',
      workers: 5,
      models: [],
    });

    await createScaler({ catalog, groups: groups(3) })();

    expect((await catalog.listGroups(['cold-00']))[0]?.workers).toBe(5);
  });

  it('finishes what a tick that died half-way began', async () => {
    const catalog = memoryCatalog();
    const dying: Catalog = { ...catalog, writeRoutes: () => Promise.reject(new Error('killed')) };
    await expect(createScaler({ catalog: dying, groups: groups(2) })()).rejects.toThrow('killed');

    const report = await createScaler({ catalog, groups: groups(2) })();

    expect(report).toMatchObject({ routes: 'written', groupRowsWritten: 0 });
  });

  it('steps back when another scaler was faster', async () => {
    const catalog = memoryCatalog();
    const raced: Catalog = {
      ...catalog,
      writeRoutes: async (next, expected) => {
        await catalog.writeRoutes(routes({ epoch: 1, coldGroups: ['cold-00'] }), undefined);
        return catalog.writeRoutes(next, expected);
      },
    };

    expect((await createScaler({ catalog: raced, groups: groups(2) })()).routes).toBe('outrun');
    expect((await catalog.readRoutes())?.coldGroups).toEqual(['cold-00']);
  });
});
