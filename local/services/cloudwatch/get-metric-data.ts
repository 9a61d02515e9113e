import { CloudWatchError } from './cloudwatch-error.ts';
import { evaluateQueries, type QueryResult } from './evaluate-queries.ts';
import { type Fields, readOptionalNumber, readOptionalText, readTimeMs } from './fields.ts';
import { parseMetricQueries } from './metric-query.ts';
import { decodeToken, encodeToken } from './next-token.ts';
import type { AnswerFields, Operation } from './operation.ts';
import { readPoints } from './read-points.ts';

const MAX_DATAPOINTS = 100_800;

/** Statistics, math, Metrics Insights and SEARCH. `Unit` is not looked at: it does not tell metrics apart here. */
export const getMetricData: Operation = (input, { store, chooseVisibility, nowMs }) => {
  const startMs = readTimeMs(input, 'StartTime');
  const endMs = readTimeMs(input, 'EndTime');
  if (startMs >= endMs) throw new CloudWatchError('ValidationError', 'StartTime must be before EndTime.');
  const page = readPage(input);
  const isAscending = readIsAscending(input);
  const { offset, asOfMs } = decodeToken(readOptionalText(input, 'NextToken')) ?? {
    offset: 0,
    asOfMs: nowMs,
  };

  const results = evaluateQueries(parseMetricQueries(input), {
    startMs,
    endMs,
    find: (metric) => store.find(metric),
    select: (metric) => store.named(metric),
    read: (series, periodMs) =>
      readPoints(series, { startMs, endMs, periodMs, nowMs: asOfMs }, chooseVisibility),
  });

  const nextOffset = offset + page;
  const total = results.reduce((sum, { values }) => sum + values.size, 0);
  return {
    MetricDataResults: cutPage(results, { offset, size: page, isAscending }),
    Messages: [],
    NextToken: nextOffset < total ? encodeToken({ offset: nextOffset, asOfMs }) : undefined,
  };
};

const readPage = (input: Fields): number => {
  const size = readOptionalNumber(input, 'MaxDatapoints') ?? MAX_DATAPOINTS;
  if (Number.isInteger(size) && size >= 1 && size <= MAX_DATAPOINTS) return size;
  throw new CloudWatchError('ValidationError', `MaxDatapoints must be from 1 to ${MAX_DATAPOINTS}.`);
};

const readIsAscending = (input: Fields): boolean => {
  const order = readOptionalText(input, 'ScanBy') ?? 'TimestampDescending';
  if (order === 'TimestampAscending' || order === 'TimestampDescending')
    return order === 'TimestampAscending';
  throw new CloudWatchError('ValidationError', 'ScanBy must be TimestampAscending or TimestampDescending.');
};

interface Page {
  readonly offset: number;
  readonly size: number;
  readonly isAscending: boolean;
}

/** The points of all results count as one list, of which a page is a stretch; empty results are on the first page. */
const cutPage = (
  results: readonly QueryResult[],
  { offset, size, isAscending }: Page,
): readonly AnswerFields[] => {
  let before = 0;
  return results.flatMap((result) => {
    const from = Math.max(0, offset - before);
    const to = Math.min(result.values.size, offset + size - before);
    before += result.values.size;
    if (from >= to && (result.values.size > 0 || offset > 0)) return [];
    const sorted = [...result.values].sort(([a], [b]) => (isAscending ? a - b : b - a)).slice(from, to);
    return [
      {
        Id: result.id,
        Label: result.label,
        Timestamps: sorted.map(([timeMs]) => new Date(timeMs)),
        Values: sorted.map(([, value]) => value),
        StatusCode: to < result.values.size ? 'PartialData' : 'Complete',
      },
    ];
  });
};
