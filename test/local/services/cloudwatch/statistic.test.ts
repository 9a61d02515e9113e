import { describe, expect, it } from 'vitest';
import {
  addValue,
  type Bucket,
  createBucket,
  halveBucket,
  mergeBucket,
} from '../../../../local/services/cloudwatch/bucket.ts';
import { parseStatistic } from '../../../../local/services/cloudwatch/statistic.ts';

const bucketOf = (values: readonly number[]): Bucket => {
  const bucket = createBucket();
  for (const value of values) addValue(bucket, value, 1);
  return bucket;
};

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, index) => index + 1);

describe('statistics', () => {
  it.each([
    ['Sum', 10],
    ['Average', 2.5],
    ['Minimum', 1],
    ['Maximum', 4],
    ['SampleCount', 4],
    ['p0', 1],
    ['p50', 2],
    ['p75.5', 4],
    ['p100', 4],
  ])('%s of 4, 1, 3, 2 is %d', (name, expected) => {
    expect(parseStatistic(name)(bucketOf([4, 1, 3, 2]))).toBe(expected);
  });

  it.each(['p101', 'p', 'sum', 'TM(10%:90%)', 'p1e1', ''])('%j is refused with what there is', (name) => {
    expect(() => parseStatistic(name)).toThrow(/it has Sum, Average/);
  });

  it('percentiles are the same whether samples came together or in parts', () => {
    const together = bucketOf(upTo(100));
    const parts = createBucket();
    for (const half of [upTo(100).slice(0, 50), upTo(100).slice(50)]) mergeBucket(parts, bucketOf(half));

    expect(parts).toEqual(together);
    expect(parseStatistic('p99')(parts)).toBe(99);
  });

  it('percentiles count equal samples that came before the first different one', () => {
    const bucket = createBucket();
    addValue(bucket, 1, 99);
    mergeBucket(bucket, bucketOf([2, 1]));

    expect(parseStatistic('p98')(bucket)).toBe(1);
    expect(parseStatistic('p99.5')(bucket)).toBe(2);
  });

  it('many different values are kept to three digits, in bounded memory', () => {
    const bucket = bucketOf(upTo(50_000));

    expect(bucket.histogram?.counts.size).toBeLessThanOrEqual(1000);
    expect(bucket.count).toBe(50_000);
    for (const percent of [10, 50, 99]) {
      const value = parseStatistic(`p${percent}`)(bucket) ?? 0;
      expect(Math.abs(value - percent * 500)).toBeLessThan(percent * 50);
    }
  });

  it('values across all powers of ten stay bounded as well', () => {
    const bucket = bucketOf(upTo(20_000).map((n) => (1 + (n % 97) / 97) * 10 ** (n % 300)));

    expect(bucket.histogram?.counts.size).toBeLessThanOrEqual(1000);
  });

  it('a percentile is unknown of statistic sets, unless all their samples are equal', () => {
    const set = { sum: 6, count: 3, min: 1, max: 3, histogram: undefined, hasSamples: false };
    const bucket = bucketOf([1, 2]);
    mergeBucket(bucket, set);

    expect(parseStatistic('p50')(bucket)).toBeUndefined();
    expect(parseStatistic('Sum')(bucket)).toBe(9);
  });

  it('half of a bucket keeps its average and percentiles', () => {
    const half = halveBucket(bucketOf(upTo(101)));

    expect(half.count).toBe(50);
    expect(parseStatistic('Average')(half)).toBeCloseTo(51);
    expect(parseStatistic('p50')(half)).toBe(51);
  });
});
