import { CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { MetricQuery, MetricReader, Points, TopQuery, Window } from '../scaling/metric-reader.ts';

/** GetMetricData takes at most this many in one call (CloudWatch API). */
const MAX_QUERIES = 500;

/** A scaler's tick is short: what CloudWatch does not say in time the next tick asks for. */
export const createCloudWatchClient = (): CloudWatchClient =>
  new CloudWatchClient({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });

interface Series {
  readonly id: string;
  readonly label: string;
  readonly points: Points;
}

/** CloudWatch's metrics by GetMetricData: $0.01 per 1,000 metrics that are asked for or looked through. */
export const cloudwatchMetrics = (client: CloudWatchClient): MetricReader => {
  const ask = async (queries: MetricDataQuery[], { fromMs, toMs }: Window): Promise<readonly Series[]> => {
    const series: Series[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.send(
        new GetMetricDataCommand({
          MetricDataQueries: queries,
          StartTime: new Date(fromMs),
          EndTime: new Date(toMs),
          ScanBy: 'TimestampAscending',
          NextToken,
        }),
      );
      for (const { Id = '', Label = '', Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
        const points = Timestamps.map((at, index): [number, number] => [at.getTime(), Values[index] ?? 0]);
        series.push({ id: Id, label: Label, points: new Map(points) });
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    return series;
  };

  return {
    async read(queries, window) {
      const found = new Map<string, Points>();
      const asked = queries.map((query, index) => toMetricStat(query, `m${index}`, window));
      for (let start = 0; start < asked.length; start += MAX_QUERIES) {
        // A series that does not fit one page comes in parts.
        for (const { id, points } of await ask(asked.slice(start, start + MAX_QUERIES), window)) {
          found.set(id, new Map([...(found.get(id) ?? []), ...points]));
        }
      }
      return queries.map((_, index) => found.get(`m${index}`) ?? new Map());
    },

    async readTop(query, window) {
      const tops = new Map<string, Points>();
      const Expression = toInsights(query);
      const asked = [{ Id: 'top', Expression, Period: window.periodMs / 1000 }];
      for (const { label, points } of await ask(asked, window)) {
        tops.set(label, new Map([...(tops.get(label) ?? []), ...points]));
      }
      return tops;
    },
  };
};

const toMetricStat = (
  { namespace, name, dimensions, statistic }: MetricQuery,
  Id: string,
  { periodMs }: Window,
): MetricDataQuery => ({
  Id,
  MetricStat: {
    Metric: {
      Namespace: namespace,
      MetricName: name,
      Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
    },
    Period: periodMs / 1000,
    Stat: statistic,
  },
});

/** Metrics Insights: the only way to read the largest of many metrics without knowing their names. */
const toInsights = ({ namespace, name, dimensions, by, limit }: TopQuery): string => {
  const schema = [...Object.keys(dimensions), by].map((dimension) => `"${dimension}"`).join(', ');
  const where = Object.entries(dimensions).map(([dimension, value]) => `"${dimension}" = '${value}'`);
  return [
    `SELECT SUM("${name}") FROM SCHEMA("${namespace}", ${schema})`,
    `WHERE ${where.join(' AND ')} GROUP BY "${by}" ORDER BY SUM() DESC LIMIT ${limit}`,
  ].join(' ');
};
