import type { Bucket } from './bucket.ts';
import { CloudWatchError } from './cloudwatch-error.ts';
import { percentileOf } from './histogram.ts';

/** One number of a bucket; `undefined` when it cannot be known of its samples. */
export type Statistic = (bucket: Bucket) => number | undefined;

const STATISTICS: ReadonlyMap<string, Statistic> = new Map<string, Statistic>([
  ['Sum', ({ sum }) => sum],
  ['Average', ({ sum, count }) => sum / count],
  ['Minimum', ({ min }) => min],
  ['Maximum', ({ max }) => max],
  ['SampleCount', ({ count }) => count],
]);

const PERCENTILE = /^p(\d{1,3}(?:\.\d{1,10})?)$/;

/** @throws CloudWatchError ValidationError */
export const parseStatistic = (text: string): Statistic => {
  const statistic = STATISTICS.get(text);
  if (statistic !== undefined) return statistic;
  const percent = Number(PERCENTILE.exec(text)?.[1]);
  if (percent >= 0 && percent <= 100) return (bucket) => percentileOfBucket(bucket, percent);
  throw new CloudWatchError(
    'ValidationError',
    `The local CloudWatch has no statistic ${text}: it has ${[...STATISTICS.keys()].join(', ')} and p0 to p100.`,
  );
};

const percentileOfBucket = ({ hasSamples, histogram, min }: Bucket, percent: number): number | undefined => {
  if (!hasSamples) return undefined;
  return histogram === undefined ? min : percentileOf(histogram, percent);
};
