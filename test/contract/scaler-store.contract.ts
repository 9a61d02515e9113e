import { beforeEach, describe, expect, it } from 'vitest';
import type { ModelRow } from '../../lib/catalog/model-row.ts';
import type { PlanRow, ScalerStore } from '../../lib/scaling/scaler-store.ts';
import { EMPTY_STATE, type ScalerState } from '../../lib/scaling/state.ts';

export interface ScalerStoreUnderTest {
  readonly store: ScalerStore;
  /** As somebody else writes them. */
  putModel(row: ModelRow): Promise<void>;
}

const state = (overrides: Partial<ScalerState> = {}): ScalerState => ({
  ...EMPTY_STATE,
  epoch: 1,
  models: new Map([['tenant-7/ü.tar.gz', { group: 'hot-00', stage: 'hot', sinceMs: 5, isDedicated: false }]]),
  groups: new Map([['hot-00', { allocations: [], wanted: 3, failures: 0, leaving: [{ version: '7' }] }]]),
  barred: new Map([['bad', { untilMs: 9, why: 'bad graph' }]]),
  ...overrides,
});

const plan: PlanRow = {
  atMs: 1,
  epoch: 2,
  groups: [],
  models: [{ model: 'm', stage: 'hot', group: 'hot-00', filled: 1.5 }],
  activeShards: 1,
  deployedShards: 4,
  budget: 20,
  decisions: [],
};

/** What every ScalerStore must do; `create` gives an empty one. */
export const scalerStoreContract = (name: string, create: () => Promise<ScalerStoreUnderTest>): void => {
  describe(`ScalerStore: ${name}`, () => {
    let tested: ScalerStoreUnderTest;
    let store: ScalerStore;
    beforeEach(async () => {
      tested = await create();
      store = tested.store;
    });

    it('gives a lease to one owner at a time, who may renew it', async () => {
      expect(await store.takeLease('a', 1000, 2000)).toBe(true);

      expect(await store.takeLease('b', 1999, 3000)).toBe(false);
      expect(await store.takeLease('a', 1500, 2500)).toBe(true);
      expect(await store.takeLease('b', 2500, 3500)).toBe(true);
    });

    it('gives a lease to exactly one of many that ask together', async () => {
      const asked = Array.from({ length: 10 }, (_, owner) => store.takeLease(`o${owner}`, 1000, 2000));

      expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1);
    });

    it('reads back the state it was given, and has none before', async () => {
      expect(await store.readState()).toBeUndefined();

      expect(await store.writeState(state(), 0)).toBe(true);

      expect(await store.readState()).toEqual(state());
    });

    it('replaces a state only of the epoch that the writer has seen', async () => {
      await store.writeState(state(), 0);

      expect(await store.writeState(state({ epoch: 1 }), 0)).toBe(false);
      expect(await store.writeState(state({ epoch: 3 }), 2)).toBe(false);
      expect(await store.writeState(state({ epoch: 2, activeShards: 3 }), 1)).toBe(true);
      expect((await store.readState())?.activeShards).toBe(3);
    });

    it('keeps the last plan', async () => {
      expect(await store.readPlan()).toBeUndefined();
      await store.writePlan({ ...plan, epoch: 1 });

      await store.writePlan(plan);

      expect(await store.readPlan()).toEqual(plan);
    });

    it('reads the rows of those models that have one, hundreds at once', async () => {
      const names = Array.from({ length: 230 }, (_, index) => `m${index}`);
      for (const model of ['m0', 'm117', 'm229']) await tested.putModel({ model, sizeBytes: 7, loadMs: 3 });

      const rows = await store.readModels(names);

      expect(rows.map(({ model }) => model).sort()).toEqual(['m0', 'm117', 'm229']);
      expect(rows[0]).toMatchObject({ sizeBytes: 7, loadMs: 3 });
      expect(await store.readModels([])).toEqual([]);
    });

    it('lists the models that somebody pinned or promised workers, and no others', async () => {
      await tested.putModel({ model: 'measured', sizeBytes: 7 });
      await tested.putModel({ model: 'pinned', pinned: true, isolated: true, maxWorkers: 4 });
      await tested.putModel({ model: 'promised', minWorkers: 2 });

      const rows = await store.listWishes();

      expect([...rows].sort((a, b) => (a.model < b.model ? -1 : 1))).toEqual([
        { model: 'pinned', pinned: true, isolated: true, maxWorkers: 4 },
        { model: 'promised', minWorkers: 2 },
      ]);
    });
  });
};
