import { describe, expect, it } from 'vitest';
import { createMetricBatch } from '../../../local/lambda/metric-batch.ts';
import type { MetricDatum } from '../../../local/services/cloudwatch/metric-datum.ts';

const start = () => {
  const recorded: MetricDatum[] = [];
  const batch = createMetricBatch((datum) => recorded.push(datum));
  const add = (value: number, timestampMs = 0, name = 'Errors', FunctionName = 'f') =>
    batch.add({ name, unit: 'Count', dimensions: { FunctionName }, value }, timestampMs);
  return { recorded, batch, add };
};

describe('a batch of metrics', () => {
  it('is one datum for each metric and its dimensions, with how often each value was seen', () => {
    const { recorded, batch, add } = start();

    add(0, 1);
    add(1, 2);
    add(0, 3);
    add(1, 4, 'Errors', 'g');
    batch.flush();

    expect(recorded).toEqual([
      {
        namespace: 'AWS/Lambda',
        name: 'Errors',
        unit: 'Count',
        dimensions: { FunctionName: 'f' },
        timestampMs: 3,
        values: [0, 1],
        counts: [2, 1],
      },
      expect.objectContaining({ dimensions: { FunctionName: 'g' }, values: [1], counts: [1] }),
    ]);
  });

  it('keeps minutes apart', () => {
    const { recorded, batch, add } = start();

    add(1, 59_999);
    add(1, 60_000);
    batch.flush();

    expect(recorded.map(({ timestampMs }) => timestampMs)).toEqual([59_999, 60_000]);
  });

  it('hands nothing over twice', () => {
    const { recorded, batch, add } = start();

    add(1);
    batch.flush();
    batch.flush();

    expect(recorded).toHaveLength(1);
  });
});
