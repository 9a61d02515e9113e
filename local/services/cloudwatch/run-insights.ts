import type { InsightsFunction, InsightsQuery } from './insights.ts';
import { mergePoint, type Points } from './read-points.ts';
import { type ReadSeries, type SelectSeries, selectBySchema } from './select-series.ts';
import { parseStatistic, type Statistic } from './statistic.ts';
import { applyStatistic, type TimeSeries } from './time-series.ts';

/** Metrics Insights' limits. */
const MAX_SERIES = 10_000;
export const MAX_RESULTS = 500;

const STATISTIC: Readonly<Record<InsightsFunction, Statistic>> = {
  SUM: parseStatistic('Sum'),
  AVG: parseStatistic('Average'),
  MIN: parseStatistic('Minimum'),
  MAX: parseStatistic('Maximum'),
  COUNT: parseStatistic('SampleCount'),
};

/**
 * One time series per group, labelled by the group's values. Not as on AWS, where Metrics Insights has steps of at least
 * 60 s: any period is honoured, so that a short simulation can look at seconds.
 */
export const runInsights = (
  query: InsightsQuery,
  { select, read, periodMs }: { select: SelectSeries; read: ReadSeries; periodMs: number },
): readonly TimeSeries[] => {
  const groups = new Map<string, { readonly label: string; readonly points: Points }>();
  // Without groups there is one result, even when it is empty.
  if (query.groupBy.length === 0) groups.set('[]', { label: '', points: new Map() });
  for (const series of selectBySchema(query, select).slice(0, MAX_SERIES)) {
    const values = query.groupBy.map((dimension) => series.dimensions[dimension]);
    const key = JSON.stringify(values);
    const group = groups.get(key) ?? { label: values.join(' '), points: new Map() };
    for (const [timeMs, bucket] of read(series, periodMs)) mergePoint(group.points, timeMs, bucket);
    if (group.points.size > 0) groups.set(key, group);
  }
  const found = [...groups.values()].map(({ label, points }) => ({
    label,
    periodMs,
    values: applyStatistic(points, STATISTIC[query.select]),
  }));
  return sort(found, query).slice(0, Math.min(query.limit ?? MAX_RESULTS, MAX_RESULTS));
};

const sort = (found: readonly TimeSeries[], { orderBy }: InsightsQuery): readonly TimeSeries[] => {
  const byLabel = found.toSorted((a, b) => (a.label < b.label ? -1 : 1));
  if (orderBy === undefined) return byLabel;
  const factor = orderBy.isDescending ? -1 : 1;
  return byLabel
    .map((series) => ({ series, rank: SUMMARY[orderBy.by]([...series.values.values()]) }))
    .sort((a, b) => factor * (a.rank - b.rank))
    .map(({ series }) => series);
};

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Of a whole time series, by which groups are ordered. */
const SUMMARY: Readonly<Record<InsightsFunction, (values: readonly number[]) => number>> = {
  SUM: total,
  AVG: (values) => total(values) / Math.max(1, values.length),
  MIN: (values) => values.reduce((least, value) => Math.min(least, value), Number.MAX_VALUE),
  MAX: (values) => values.reduce((most, value) => Math.max(most, value), -Number.MAX_VALUE),
  COUNT: (values) => values.length,
};
