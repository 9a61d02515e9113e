import { addToHistogram, createHistogram, type Histogram } from './histogram.ts';

/** All that is kept of the samples of a span of time. */
export interface Bucket {
  sum: number;
  count: number;
  min: number;
  max: number;
  /** Absent while all samples are equal, which is most of the seconds of most metrics. */
  histogram: Histogram | undefined;
  /** Percentiles need the samples; of a statistic set only these four numbers are known. */
  hasSamples: boolean;
}

export const createBucket = (): Bucket => ({
  sum: 0,
  count: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  histogram: undefined,
  hasSamples: true,
});

export const addValue = (bucket: Bucket, value: number, count: number): void =>
  mergeBucket(bucket, {
    sum: value * count,
    count,
    min: value,
    max: value,
    histogram: undefined,
    hasSamples: true,
  });

export const mergeBucket = (into: Bucket, from: Bucket): void => {
  if (from.count === 0) return;
  into.hasSamples = into.hasSamples && from.hasSamples;
  into.histogram = into.hasSamples ? mergeHistograms(into, from) : undefined;
  into.sum += from.sum;
  into.count += from.count;
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
};

const mergeHistograms = (into: Bucket, from: Bucket): Histogram | undefined => {
  const areEqual = into.count === 0 || into.min === from.min;
  if (into.histogram === undefined && from.histogram === undefined && areEqual) return undefined;
  const histogram = into.histogram ?? createHistogram();
  if (into.histogram === undefined && into.count > 0) addToHistogram(histogram, into.min, into.count);
  for (const [value, count] of samplesOf(from)) addToHistogram(histogram, value, count);
  return histogram;
};

const samplesOf = ({ histogram, min, count }: Bucket): Iterable<readonly [number, number]> =>
  histogram?.counts ?? [[min, count]];

/** What half of the samples look like. Of a single one, nothing: the count is 0. */
export const halveBucket = (bucket: Bucket): Bucket => {
  const count = Math.floor(bucket.count / 2);
  const share = count / bucket.count;
  const { histogram } = bucket;
  return {
    ...bucket,
    sum: bucket.sum * share,
    count,
    histogram: histogram && {
      digits: histogram.digits,
      counts: new Map([...histogram.counts].map(([value, seen]) => [value, seen * share])),
    },
  };
};
