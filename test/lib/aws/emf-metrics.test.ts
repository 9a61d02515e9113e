import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emfMetrics } from '../../../lib/aws/emf-metrics.ts';

let lines: string[];
let nowMs: number;
const write = process.stdout.write.bind(process.stdout);

beforeEach(() => {
  lines = [];
  nowMs = 1_000_000;
  // CloudWatch reads the records from standard output, so that is where they are looked for.
  process.stdout.write = ((text: string) => {
    lines.push(...String(text).split('\n').filter(Boolean));
    return true;
  }) as typeof process.stdout.write;
});
afterEach(() => {
  process.stdout.write = write;
});

const create = () =>
  emfMetrics({
    namespace: 'lambda-mme',
    dimensions: { EndpointName: 'mme', Group: 'cold-00' },
    flushEveryMs: 10_000,
    now: () => nowMs,
  });
const records = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('emfMetrics', () => {
  it('writes one record for everything since the last, when the oldest is due', () => {
    const metrics = create();
    metrics.sample('ModelCacheHit', 0);
    nowMs += 9_999;
    metrics.sample('ModelCacheHit', 1);
    metrics.timeMicros('ModelLoadingTime', 1234.5);

    metrics.flushIfDue();
    expect(lines).toEqual([]);

    nowMs += 1;
    metrics.flushIfDue();
    metrics.flushIfDue();
    expect(records()).toEqual([
      {
        _aws: {
          Timestamp: expect.any(Number),
          CloudWatchMetrics: [
            {
              Namespace: 'lambda-mme',
              Dimensions: [['EndpointName', 'Group']],
              Metrics: [
                { Name: 'ModelCacheHit', Unit: 'None' },
                { Name: 'ModelLoadingTime', Unit: 'Microseconds' },
              ],
            },
          ],
        },
        EndpointName: 'mme',
        Group: 'cold-00',
        ModelCacheHit: [0, 1],
        ModelLoadingTime: 1235,
      },
    ]);
  });

  it('keeps its dimensions from record to record', () => {
    const metrics = create();

    for (let round = 0; round < 2; round++) {
      metrics.count('Invocations');
      nowMs += 10_000;
      metrics.flushIfDue();
    }

    expect(records()).toMatchObject([{ Group: 'cold-00' }, { Group: 'cold-00' }]);
  });

  it('writes nothing while nothing happens', () => {
    const metrics = create();
    nowMs += 60_000;

    metrics.flushIfDue();

    expect(lines).toEqual([]);
  });

  it('loses nothing of a busy period: a record holds at most 100 values of a metric', () => {
    const metrics = create();
    for (let call = 0; call < 250; call++) metrics.sample('ModelCacheHit', 1);
    nowMs += 10_000;

    metrics.flushIfDue();

    const counts = records().map((record) => (record['ModelCacheHit'] as number[]).length);
    expect(counts).toEqual([100, 100, 50]);
  });

  it('does not warn when a full record has just left by itself', () => {
    const metrics = create();
    for (let call = 0; call < 100; call++) metrics.sample('ModelCacheHit', 1);
    nowMs += 10_000;

    metrics.flushIfDue();

    expect(lines).toHaveLength(1);
  });

  it('writes one sum of what is counted, and looks at gauges once per record', () => {
    const metrics = emfMetrics({
      namespace: 'n',
      dimensions: {},
      flushEveryMs: 10,
      now: () => nowMs,
      gauges: () => ({ LoadedModelCount: 7 }),
    });
    for (let call = 0; call < 300; call++) metrics.count('InvocationsPerInstance', 1 / 3);
    nowMs += 10;

    metrics.flushIfDue();

    expect(records()).toMatchObject([{ InvocationsPerInstance: 100, LoadedModelCount: 7 }]);
  });
});
