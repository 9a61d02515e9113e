import { expect, it } from 'vitest';
import { createScaler } from '../../functions/scaler/scaler.ts';
import type { MetricReader, Points } from '../../lib/scaling/metric-reader.ts';
import { memoryCatalog } from '../fakes/memory-catalog.ts';
import { memoryFleet } from '../fakes/memory-fleet.ts';
import { memoryScalerStore } from '../fakes/memory-scaler-store.ts';
import { scalingPolicy } from './scaling-policy.ts';

const MODELS = 100_000;
const CANDIDATES = 500;
const MINUTE = 60_000;
const names = (tier: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${tier}-${String(index).padStart(2, '0')}`);

/** CloudWatch of an endpoint where each of 500 models fills two workers, and all 40 groups are busy. */
const busyMetrics = (now: () => number): MetricReader => {
  const every = (value: number, { fromMs, toMs }: { fromMs: number; toMs: number }): Points => {
    const last = Math.min(toMs, now() - 2 * MINUTE);
    const points = new Map<number, number>();
    for (let atMs = fromMs; atMs < last; atMs += MINUTE) points.set(atMs, value);
    return points;
  };
  return {
    read: async (queries, window) => queries.map(() => every(1200, window)),
    readTop: async ({ name, limit }, window) =>
      new Map(
        Array.from({ length: Math.min(limit, CANDIDATES) }, (_, index) => [
          `tenant-${index}/model.tar.gz`,
          every(name === 'ModelBusySeconds' ? 120 : 1200, window),
        ]),
      ),
  };
};

it('a tick over 100,000 models with 500 hot candidates takes under a second of CPU and at most 40 control-plane calls', async () => {
  let nowMs = 29_000_000 * MINUTE;
  const now = () => nowMs;
  const store = memoryScalerStore();
  for (let index = 0; index < MODELS; index++) {
    const model = `tenant-${index}/model.tar.gz`;
    store.rows.set(model, { model, sizeBytes: 1e6, loadMs: 50 });
  }
  const policy = scalingPolicy({
    coldGroups: names('cold', 20),
    hotGroups: names('hot', 20),
    workerBudget: 10_000,
  });
  const fleet = memoryFleet({ now, delayMs: 90_000, limit: 20_000 });
  for (const group of [...policy.coldGroups, ...policy.hotGroups]) fleet.live.set(`mme-${group}`, '1');
  let paces = 0;
  const tick = createScaler({
    catalog: memoryCatalog(),
    store: { ...store, listWishes: async () => [] },
    fleet,
    metrics: busyMetrics(now),
    metricNames: { namespace: 'n', endpointName: 'e', routerFunction: 'r', scalerFunction: 's' },
    policy,
    deployment: '1',
    owner: 'a',
    now,
    pace: async () => {
      paces++;
    },
    onFault: (error) => {
      throw error;
    },
  });

  let mostCalls = 0;
  let mostCpuMs = 0;
  let workers = 0;
  for (let minute = 0; minute < 15; minute++) {
    const callsBefore = fleet.calls.length;
    const cpu = process.cpuUsage();
    ({ workers } = await tick());
    const { user, system } = process.cpuUsage(cpu);
    mostCpuMs = Math.max(mostCpuMs, (user + system) / 1000);
    mostCalls = Math.max(mostCalls, fleet.calls.length - callsBefore);
    nowMs += MINUTE;
    fleet.advance();
  }

  expect(workers).toBeGreaterThan(100);
  expect(mostCalls).toBeGreaterThan(20);
  expect(mostCalls).toBeLessThanOrEqual(40);
  // Each of them waits for its turn, five a second.
  expect(paces).toBe(fleet.calls.length);
  expect(mostCpuMs).toBeLessThan(1000);
});
