import type { Points } from './read-points.ts';
import type { Statistic } from './statistic.ts';

/** A line to draw: values by the start of their period, absent where there are none. */
export interface TimeSeries {
  readonly label: string;
  readonly periodMs: number;
  readonly values: ReadonlyMap<number, number>;
}

export const applyStatistic = (points: Points, statistic: Statistic): ReadonlyMap<number, number> => {
  const values = new Map<number, number>();
  for (const [timeMs, bucket] of points) {
    const value = statistic(bucket);
    if (value !== undefined) values.set(timeMs, value);
  }
  return values;
};
