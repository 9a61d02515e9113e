import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelRow } from '../../lib/catalog/model-row.ts';
import { type Traffic, virtualEndpoint } from './virtual-endpoint.ts';

interface Asked extends ModelRow {
  readonly rates: readonly number[];
  readonly callSeconds: number;
}

const asked = (index: number): fc.Arbitrary<Asked> =>
  fc
    .record({
      // A level for each quarter of an hour.
      rates: fc.array(fc.constantFrom(0, 0.1, 2, 8, 30, 80), { minLength: 5, maxLength: 5 }),
      callSeconds: fc.constantFrom(0.004, 0.05, 0.4, 2),
      pinned: fc.option(fc.constant(true), { nil: undefined, freq: 5 }),
      minWorkers: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 4 }),
      maxWorkers: fc.option(fc.integer({ min: 4, max: 9 }), { nil: undefined, freq: 4 }),
      sizeBytes: fc.constantFrom(1e6, 3e8, 7e8),
      loadMs: fc.constantFrom(20, 900),
    })
    .map((row) => JSON.parse(JSON.stringify({ ...row, model: `m${index}.tar.gz` })) as Asked);

const scene = fc.record({
  models: fc.tuple(...[0, 1, 2, 3, 4, 5].map(asked)),
  workerBudget: fc.constantFrom(0, 3, 12, 60),
  slowAnswerDollars: fc.constantFrom(0, 1e-4, 1e-3),
  delayMs: fc.constantFrom(30_000, 90_000, 200_000),
});

const MINUTES = 75;
const SETTLED = 60;

describe('whatever callers do', () => {
  it('the budget, the bounds and the reasons hold', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ models, workerBudget, slowAnswerDollars, delayMs }) => {
        const traffic = Object.fromEntries(
          models.map(({ model, rates, callSeconds }): [string, Traffic] => [
            model,
            { rate: (minute) => rates[Math.floor(minute / 15)] ?? 0, callSeconds },
          ]),
        );
        const endpoint = virtualEndpoint({ traffic, delayMs, policy: { workerBudget, slowAnswerDollars } });
        for (const { rates: _, callSeconds: __, ...row } of models) endpoint.store.rows.set(row.model, row);

        await endpoint.run(MINUTES, async (minute) => {
          expect(endpoint.fleet.total()).toBeLessThanOrEqual(workerBudget);
          const state = await endpoint.store.readState();
          for (const { model, maxWorkers = Number.POSITIVE_INFINITY, minWorkers = 0 } of models) {
            const placed = state?.models.get(model);
            if (placed === undefined || placed.stage === 'draining') continue;
            expect(endpoint.workersOf(placed.group)).toBeLessThanOrEqual(maxWorkers);
            const promised = models.reduce((all, each) => all + (each.minWorkers ?? 0), 0);
            const isPossible = promised + models.length <= workerBudget;
            if (minute < SETTLED || !isPossible || placed.stage !== 'hot') continue;
            expect(endpoint.workersOf(placed.group)).toBeGreaterThanOrEqual(Math.min(minWorkers, maxWorkers));
          }
        });

        for (const { moves } of endpoint.reports) {
          for (const { reason } of moves) expect(reason.length).toBeGreaterThan(10);
        }
        expect(endpoint.servedBetween(0, MINUTES).errors).toBe(0);
        expect(endpoint.faults).toEqual([]);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
