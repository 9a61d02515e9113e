import { CloudWatchError } from './cloudwatch-error.ts';
import { readDimensions } from './dimensions.ts';
import { type Expression, parseExpression } from './expression.ts';
import {
  type Fields,
  readFlag,
  readNumber,
  readOptionalNumber,
  readOptionalStructure,
  readOptionalText,
  readStructures,
  readText,
} from './fields.ts';
import { type Metric, SECOND_MS } from './metric-store.ts';
import { parseStatistic, type Statistic } from './statistic.ts';

export interface MetricSource {
  readonly kind: 'metric';
  readonly metric: Metric;
  readonly statistic: Statistic;
  readonly periodMs: number;
}

export interface ExpressionSource {
  readonly kind: 'expression';
  readonly expression: Expression;
  readonly periodMs: number | undefined;
}

/** One of the queries of a GetMetricData call. */
export interface MetricQuery {
  readonly id: string;
  readonly label: string | undefined;
  readonly isReturned: boolean;
  readonly source: MetricSource | ExpressionSource;
}

const MAX_QUERIES = 500;
const ID = /^[a-z][A-Za-z0-9_]{0,254}$/;

/** @throws CloudWatchError */
export const parseMetricQueries = (input: Fields): readonly MetricQuery[] => {
  const fields = readStructures(input, 'MetricDataQueries');
  if (fields.length === 0)
    throw new CloudWatchError('MissingParameter', 'The parameter MetricDataQueries is required.');
  if (fields.length > MAX_QUERIES) throw invalid(`a call has at most ${MAX_QUERIES} queries`);
  const queries = fields.map(parseMetricQuery);
  if (new Set(queries.map(({ id }) => id)).size < queries.length)
    throw invalid('the ids of MetricDataQueries must differ');
  const insights = queries.filter(
    ({ source }) => source.kind === 'expression' && source.expression.kind === 'insights',
  );
  if (insights.length > 1) throw invalid('a call has at most one Metrics Insights query');
  return queries;
};

const invalid = (problem: string): CloudWatchError => new CloudWatchError('ValidationError', problem);

const parseMetricQuery = (fields: Fields): MetricQuery => {
  const id = readText(fields, 'Id');
  if (!ID.test(id))
    throw invalid(`the id ${id} must begin with a lower-case letter, and letters, digits and _`);
  const stat = readOptionalStructure(fields, 'MetricStat');
  const expression = readOptionalText(fields, 'Expression');
  if ((stat === undefined) === (expression === undefined)) {
    throw invalid(`query ${id} must have either MetricStat or Expression`);
  }
  return {
    id,
    label: readOptionalText(fields, 'Label'),
    isReturned: readFlag(fields, 'ReturnData', true),
    source:
      stat === undefined ? parseExpressionSource(fields, expression ?? '') : parseMetricSource(stat, id),
  };
};

const parseMetricSource = (stat: Fields, id: string): MetricSource => {
  const metric = readOptionalStructure(stat, 'Metric');
  if (metric === undefined) throw invalid(`query ${id} has no Metric`);
  return {
    kind: 'metric',
    metric: {
      namespace: readText(metric, 'Namespace'),
      name: readText(metric, 'MetricName'),
      dimensions: readDimensions(metric),
    },
    statistic: parseStatistic(readText(stat, 'Stat')),
    periodMs: parsePeriodMs(readNumber(stat, 'Period')),
  };
};

const parseExpressionSource = (fields: Fields, text: string): ExpressionSource => {
  const expression = parseExpression(text);
  const inner = expression.kind === 'search' ? expression.query.periodSeconds : undefined;
  const period = inner ?? readOptionalNumber(fields, 'Period');
  if (period === undefined && expression.kind !== 'math') {
    throw invalid(`a period is needed for ${text}`);
  }
  return {
    kind: 'expression',
    expression,
    periodMs: period === undefined ? undefined : parsePeriodMs(period),
  };
};

const SHORT_PERIODS_SECONDS: readonly number[] = [1, 5, 10, 20, 30];

const parsePeriodMs = (seconds: number): number => {
  const isMinutes = Number.isInteger(seconds / 60) && seconds > 0;
  if (!isMinutes && !SHORT_PERIODS_SECONDS.includes(seconds)) {
    throw invalid(`the period must be 1, 5, 10, 20, 30 or a multiple of 60 seconds, but is ${seconds}`);
  }
  return seconds * SECOND_MS;
};
