import { addValue, type Bucket, createBucket } from './bucket.ts';
import { CloudWatchError } from './cloudwatch-error.ts';
import { readDimensions } from './dimensions.ts';
import {
  type Fields,
  invalidValue,
  readNumber,
  readNumbers,
  readOptionalNumber,
  readOptionalStructure,
  readOptionalTimeMs,
  readStructures,
  readText,
} from './fields.ts';
import type { Metric } from './metric-store.ts';
import type { Operation } from './operation.ts';

const MAX_DATA = 1000;
const MAX_VALUES = 150;
const MAX_MAGNITUDE = 2 ** 360;
const MAX_AGE_MS = 14 * 24 * 3_600_000;
const MAX_AHEAD_MS = 2 * 3_600_000;

interface Recorded {
  readonly metric: Metric;
  readonly timestampMs: number;
  readonly bucket: Bucket;
}

/** Takes all of the data or, when one of them is wrong, none. What is older than 3 hours is taken and not kept. */
export const putMetricData: Operation = (input, { store, nowMs }) => {
  const namespace = readText(input, 'Namespace');
  if (namespace.startsWith('AWS/')) throw invalidValue('Namespace', 'one that does not begin with AWS/');
  if (input['EntityMetricData'] !== undefined) {
    throw new CloudWatchError(
      'InvalidParameterValue',
      'The local CloudWatch has no EntityMetricData: use MetricData.',
    );
  }
  const data = readStructures(input, 'MetricData');
  if (data.length === 0)
    throw new CloudWatchError('MissingParameter', 'The parameter MetricData is required.');
  if (data.length > MAX_DATA) throw invalidValue('MetricData', `at most ${MAX_DATA} data`);

  const recorded = data.map((datum) => parseDatum(datum, namespace, nowMs));
  for (const { metric, timestampMs, bucket } of recorded) store.recordBucket(metric, timestampMs, bucket);
  return {};
};

const parseDatum = (datum: Fields, namespace: string, nowMs: number): Recorded => {
  const timestampMs = readOptionalTimeMs(datum, 'Timestamp') ?? nowMs;
  if (timestampMs < nowMs - MAX_AGE_MS || timestampMs > nowMs + MAX_AHEAD_MS) {
    throw invalidValue('Timestamp', 'at most two weeks past and two hours ahead');
  }
  const resolution = readOptionalNumber(datum, 'StorageResolution') ?? 60;
  if (resolution !== 1 && resolution !== 60) throw invalidValue('StorageResolution', '1 or 60');
  return {
    metric: { namespace, name: readText(datum, 'MetricName'), dimensions: readDimensions(datum) },
    timestampMs,
    bucket: parseSamples(datum),
  };
};

const parseSamples = (datum: Fields): Bucket => {
  const value = readOptionalNumber(datum, 'Value');
  const values = readNumbers(datum, 'Values');
  const statistics = readOptionalStructure(datum, 'StatisticValues');
  const forms = [value !== undefined, values.length > 0, statistics !== undefined].filter(Boolean).length;
  if (forms > 1) {
    throw new CloudWatchError(
      'InvalidParameterCombination',
      'The parameters Value, Values and StatisticValues exclude each other.',
    );
  }
  if (statistics !== undefined) return parseStatisticSet(statistics);
  if (value !== undefined) return collect([value], []);
  if (values.length > 0) return collect(values, readNumbers(datum, 'Counts'));
  throw new CloudWatchError('MissingParameter', 'One of Value, Values and StatisticValues is required.');
};

const collect = (values: readonly number[], counts: readonly number[]): Bucket => {
  if (values.length > MAX_VALUES) throw invalidValue('Values', `at most ${MAX_VALUES} values`);
  if (counts.length > 0 && counts.length !== values.length)
    throw invalidValue('Counts', 'as long as Values, or absent');
  const bucket = createBucket();
  for (const [index, value] of values.entries()) {
    const count = counts[index] ?? 1;
    if (count <= 0) throw invalidValue('Counts', 'above 0');
    addValue(bucket, checkMagnitude(value), count);
  }
  return bucket;
};

const parseStatisticSet = (statistics: Fields): Bucket => {
  const [count, sum, min, max] = ['SampleCount', 'Sum', 'Minimum', 'Maximum'].map((name) =>
    checkMagnitude(readNumber(statistics, name)),
  ) as [number, number, number, number];
  if (count <= 0) throw invalidValue('SampleCount', 'above 0');
  if (min > max) throw invalidValue('Minimum', 'at most Maximum');
  return { count, sum, min, max, histogram: undefined, hasSamples: min === max };
};

const checkMagnitude = (value: number): number => {
  if (Math.abs(value) > MAX_MAGNITUDE) throw invalidValue('Value', 'from -2^360 to 2^360');
  return value;
};
