import { beforeEach, describe, expect, it } from 'vitest';
import type { WorkerCatalog } from '../../lib/catalog/worker-catalog.ts';

export interface WorkerCatalogUnderTest {
  readonly catalog: WorkerCatalog;
  putModels(group: string, models: readonly string[]): Promise<void>;
}

const MODEL = 'tenant-7/ü.tar.gz';

/** What every WorkerCatalog must do; `create` gives an empty one. */
export const workerCatalogContract = (name: string, create: () => Promise<WorkerCatalogUnderTest>): void => {
  describe(`WorkerCatalog: ${name}`, () => {
    let tested: WorkerCatalogUnderTest;
    let catalog: WorkerCatalog;
    beforeEach(async () => {
      tested = await create();
      catalog = tested.catalog;
    });

    it('has no models to load ahead where none were put, and those that were in their order', async () => {
      expect(await catalog.readPreloads('hot-00')).toEqual([]);

      await tested.putModels('hot-00', ['b', 'a']);

      expect(await catalog.readPreloads('hot-00')).toEqual(['b', 'a']);
    });

    it('lets one worker load, and tells the others when that is expected to end', async () => {
      expect(await catalog.begin({ model: MODEL, nowMs: 1000, expectedMs: 500 })).toBeUndefined();

      expect(await catalog.begin({ model: MODEL, nowMs: 1200, expectedMs: 900 })).toEqual({
        expectedEndMs: 1500,
      });
      expect(await catalog.find(MODEL)).toEqual({ expectedEndMs: 1500 });
    });

    it('lets exactly one of many load that begin together', async () => {
      const begins = Array.from({ length: 10 }, () =>
        catalog.begin({ model: MODEL, nowMs: 1000, expectedMs: 500 }),
      );

      expect((await Promise.all(begins)).filter((other) => other === undefined)).toHaveLength(1);
    });

    it('remembers how long a load took, and lets the next one load', async () => {
      await catalog.begin({ model: MODEL, nowMs: 1000, expectedMs: 500 });
      await catalog.end({ model: MODEL, tookMs: 700 });

      expect(await catalog.find(MODEL)).toEqual({ lastMs: 700 });
      expect(await catalog.begin({ model: MODEL, nowMs: 2000, expectedMs: 500 })).toBeUndefined();
    });

    it('forgets a load that failed', async () => {
      await catalog.begin({ model: MODEL, nowMs: 1000, expectedMs: 500 });
      await catalog.end({ model: MODEL, tookMs: undefined });

      expect(await catalog.find(MODEL)).toBeUndefined();
    });

    it('gives the load of a worker that died to another', async () => {
      await catalog.begin({ model: MODEL, nowMs: 1000, expectedMs: 500 });

      expect(await catalog.begin({ model: MODEL, nowMs: 1000 + 380_001, expectedMs: 500 })).toBeUndefined();
    });

    it('takes reports and bounds', async () => {
      await catalog.reportPreloads('hot-00', '$LATEST', [{ model: MODEL, tookMs: 1.5 }]);
      await catalog.noteBounds(MODEL, { minWorkers: 1, maxWorkers: undefined });
      await catalog.noteBounds(MODEL, { minWorkers: 1, maxWorkers: 3 });
    });
  });
};
