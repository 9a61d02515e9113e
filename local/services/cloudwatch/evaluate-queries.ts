import { CloudWatchError } from './cloudwatch-error.ts';
import { evaluateMath } from './evaluate-math.ts';
import type { ExpressionSource, MetricQuery } from './metric-query.ts';
import type { Metric, Series } from './metric-store.ts';
import { MAX_RESULTS, runInsights } from './run-insights.ts';
import type { SearchQuery } from './search.ts';
import { type ReadSeries, type SelectSeries, selectBySchema } from './select-series.ts';
import { applyStatistic, type TimeSeries } from './time-series.ts';

export interface QuerySource {
  readonly startMs: number;
  readonly endMs: number;
  readonly find: (metric: Metric) => Series | undefined;
  readonly select: SelectSeries;
  readonly read: ReadSeries;
}

export interface QueryResult extends TimeSeries {
  readonly id: string;
}

/** What is asked to be returned, in the order of the queries; an id comes several times when it has several series. */
export const evaluateQueries = (
  queries: readonly MetricQuery[],
  source: QuerySource,
): readonly QueryResult[] => {
  const resolve = createResolve(queries, source);
  return queries
    .filter(({ isReturned }) => isReturned)
    .flatMap(({ id, label }) =>
      resolve(id).map((series) => ({ ...series, id, label: chooseLabel(series.label, label, id) })),
    );
};

const chooseLabel = (own: string, asked: string | undefined, id: string): string =>
  asked === undefined ? own || id : [asked, own].filter((part) => part !== '').join(' ');

/** Each query is run once, when it is first asked for: expressions may name queries that come after them. */
const createResolve = (queries: readonly MetricQuery[], source: QuerySource) => {
  const byId = new Map(queries.map((query) => [query.id, query]));
  const results = new Map<string, readonly TimeSeries[]>();
  const underWay = new Set<string>();

  const resolve = (id: string): readonly TimeSeries[] => {
    const known = results.get(id);
    if (known !== undefined) return known;
    const query = byId.get(id);
    if (query === undefined) throw new CloudWatchError('ValidationError', `No query has the id ${id}.`);
    if (underWay.has(id)) throw new CloudWatchError('ValidationError', `The expression ${id} names itself.`);
    underWay.add(id);
    const result = run(query, source, resolve);
    results.set(id, result);
    return result;
  };
  return resolve;
};

const run = (
  { source: asked, label }: MetricQuery,
  source: QuerySource,
  resolve: (id: string) => readonly TimeSeries[],
): readonly TimeSeries[] => {
  if (asked.kind === 'expression') return runExpression(asked, source, resolve);
  const { metric, statistic, periodMs } = asked;
  const series = source.find(metric);
  const points = series === undefined ? new Map() : source.read(series, periodMs);
  // A label that is given stands for the metric's name, not before it.
  return [
    { label: label === undefined ? metric.name : '', periodMs, values: applyStatistic(points, statistic) },
  ];
};

const runExpression = (
  { expression, periodMs = 0 }: ExpressionSource,
  source: QuerySource,
  resolve: (id: string) => readonly TimeSeries[],
): readonly TimeSeries[] => {
  if (expression.kind === 'math')
    return [{ ...evaluateMath(expression.root, { ...source, resolve }), label: '' }];
  if (expression.kind === 'insights') return runInsights(expression.query, { ...source, periodMs });
  return runSearch(expression.query, source, periodMs);
};

const runSearch = (query: SearchQuery, source: QuerySource, periodMs: number): readonly TimeSeries[] =>
  selectBySchema(query, source.select)
    .slice(0, MAX_RESULTS)
    .map((series) => ({
      label: query.schema.map((dimension) => series.dimensions[dimension]).join(' ') || query.name,
      periodMs,
      values: applyStatistic(source.read(series, periodMs), query.statistic),
    }));
