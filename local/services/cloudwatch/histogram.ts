/** How often each value was seen, of a bounded number of values: beyond it, values are rounded together. */
export interface Histogram {
  readonly counts: Map<number, number>;
  /** Significant digits that values keep; `undefined` while they are exact. */
  digits: number | undefined;
}

const MAX_VALUES = 1000;

/** Three digits are 900 values per power of ten: an error below 1 %, as in CloudWatch's own value buckets. */
const FIRST_DIGITS = 3;

export const createHistogram = (): Histogram => ({ counts: new Map(), digits: undefined });

export const addToHistogram = (histogram: Histogram, value: number, count: number): void => {
  const { counts, digits } = histogram;
  const key = digits === undefined ? value : round(value, digits);
  counts.set(key, (counts.get(key) ?? 0) + count);
  // One digit is the end: what still differs then spans more powers of ten than metrics do.
  while (counts.size > MAX_VALUES && histogram.digits !== 1) coarsen(histogram);
};

const coarsen = (histogram: Histogram): void => {
  const digits = histogram.digits === undefined ? FIRST_DIGITS : histogram.digits - 1;
  const exact = [...histogram.counts];
  histogram.digits = digits;
  histogram.counts.clear();
  for (const [value, count] of exact) {
    const key = round(value, digits);
    histogram.counts.set(key, (histogram.counts.get(key) ?? 0) + count);
  }
};

const round = (value: number, digits: number): number => Number(value.toPrecision(digits));

/** The smallest value that `percent` of all samples do not exceed; `undefined` of nothing. */
export const percentileOf = ({ counts }: Histogram, percent: number): number | undefined => {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const rank = (percent * total) / 100;
  let seen = 0;
  for (const [value, count] of sorted) {
    seen += count;
    if (seen >= rank) return value;
  }
  return sorted.at(-1)?.[0];
};
