import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MetricReader } from '../../lib/scaling/metric-reader.ts';

export interface MetricReaderUnderTest {
  readonly metrics: MetricReader;
  /** Values of one metric within one minute. */
  put(
    name: string,
    dimensions: Readonly<Record<string, string>>,
    atMs: number,
    values: readonly number[],
  ): void;
  close(): Promise<void>;
}

const NAMESPACE = 'mme';
const MINUTE = 60_000;
/** A whole minute. */
export const T0 = 29_000_000 * MINUTE;
const window = { fromMs: T0, toMs: T0 + 5 * MINUTE, periodMs: MINUTE };

/** What every MetricReader must do; what is put is settled. */
export const metricReaderContract = (name: string, create: () => Promise<MetricReaderUnderTest>): void => {
  describe(`MetricReader: ${name}`, () => {
    let tested: MetricReaderUnderTest;
    let metrics: MetricReader;
    beforeEach(async () => {
      tested = await create();
      metrics = tested.metrics;
    });
    afterEach(() => tested.close());

    const query = (statistic: 'Sum' | 'SampleCount' | 'Maximum', Group = 'a') => ({
      namespace: NAMESPACE,
      name: 'Calls',
      dimensions: { Group },
      statistic,
    });

    it('gives the points of each query by minute, in the order of the queries', async () => {
      tested.put('Calls', { Group: 'a' }, T0 + 1000, [1, 2]);
      tested.put('Calls', { Group: 'a' }, T0 + 2 * MINUTE, [5]);
      tested.put('Calls', { Group: 'b' }, T0 + MINUTE, [7]);

      const points = await metrics.read([query('Sum', 'b'), query('Sum'), query('Sum', 'none')], window);

      expect(points).toEqual([
        new Map([[T0 + MINUTE, 7]]),
        new Map([
          [T0, 3],
          [T0 + 2 * MINUTE, 5],
        ]),
        new Map(),
      ]);
    });

    it('counts and takes the largest', async () => {
      tested.put('Calls', { Group: 'a' }, T0, [4, 9, 2]);

      expect(await metrics.read([query('SampleCount'), query('Maximum')], window)).toEqual([
        new Map([[T0, 3]]),
        new Map([[T0, 9]]),
      ]);
    });

    it('takes a metric by exactly its dimensions, and minutes only from the window', async () => {
      tested.put('Calls', { Group: 'a', Model: 'm' }, T0, [1]);
      tested.put('Calls', { Group: 'a' }, T0 - 1, [1]);
      tested.put('Calls', { Group: 'a' }, T0 + 5 * MINUTE, [1]);

      expect(await metrics.read([query('Sum')], window)).toEqual([new Map()]);
    });

    it('reads hundreds of metrics at once', async () => {
      tested.put('Calls', { Group: 'g612' }, T0, [1]);
      const queries = Array.from({ length: 700 }, (_, index) => query('Sum', `g${index}`));

      const points = await metrics.read(queries, window);

      expect(points).toHaveLength(700);
      expect(points.flatMap((each, index) => (each.size > 0 ? [index] : []))).toEqual([612]);
      expect(await metrics.read([], window)).toEqual([]);
    });

    it('finds the largest of those that differ in one dimension', async () => {
      const top = {
        namespace: NAMESPACE,
        name: 'Busy',
        dimensions: { Endpoint: 'e' },
        by: 'Model',
        limit: 2,
      };
      tested.put('Busy', { Endpoint: 'e', Model: 'small' }, T0, [1]);
      tested.put('Busy', { Endpoint: 'e', Model: 'tenant-7/ü.tar.gz' }, T0, [3, 3]);
      tested.put('Busy', { Endpoint: 'e', Model: 'tenant-7/ü.tar.gz' }, T0 + MINUTE, [4]);
      tested.put('Busy', { Endpoint: 'e', Model: 'second' }, T0, [5]);
      tested.put('Busy', { Endpoint: 'other', Model: 'foreign' }, T0, [99]);

      const found = await metrics.readTop(top, window);

      expect(Object.fromEntries(found)).toEqual({
        'tenant-7/ü.tar.gz': new Map([
          [T0, 6],
          [T0 + MINUTE, 4],
        ]),
        second: new Map([[T0, 5]]),
      });
    });
  });
};
