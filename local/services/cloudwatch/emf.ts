import type { MetricDatum } from './metric-datum.ts';

/** Limits of the embedded metric format; what is beyond is rejected, as on AWS. */
const MAX_DIMENSIONS = 30;
const MAX_VALUES = 100;

type Fields = Readonly<Record<string, unknown>>;

export interface EmfReading {
  readonly nowMs: number;
  readonly onRejected: (reason: string) => void;
}

/**
 * The metrics of a printed line: one datum per directive, dimension set and metric. None when the line is anything but
 * a record of the embedded metric format. A metric without a number and a dimension set that is not whole are skipped.
 */
export const parseEmfLine = (line: string, reading: EmfReading): readonly MetricDatum[] => {
  const record = parseRecord(line);
  const aws = record?.['_aws'];
  if (record === undefined || !isFields(aws) || !Array.isArray(aws['CloudWatchMetrics'])) return [];
  const { Timestamp } = aws;
  const timestampMs = typeof Timestamp === 'number' ? Timestamp : reading.nowMs;
  return aws['CloudWatchMetrics']
    .filter(isFields)
    .flatMap((directive) => readDirective(directive, record, reading))
    .map((datum) => ({ ...datum, timestampMs }));
};

const parseRecord = (line: string): Fields | undefined => {
  // Most lines are not metrics: they need not be parsed.
  if (!line.includes('"_aws"')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Datum = Omit<MetricDatum, 'timestampMs'>;

const readDirective = (directive: Fields, record: Fields, { onRejected }: EmfReading): readonly Datum[] => {
  const { Namespace: namespace, Metrics: metrics } = directive;
  if (typeof namespace !== 'string' || namespace === '' || !Array.isArray(metrics)) return [];
  const measured = metrics.filter(isFields).flatMap((metric) => readMetric(metric, record, onRejected));
  return readDimensionSets(directive, record, onRejected).flatMap((dimensions) =>
    measured.map((metric) => ({ ...metric, namespace, dimensions })),
  );
};

const readMetric = (
  { Name: name, Unit: unit }: Fields,
  record: Fields,
  onRejected: EmfReading['onRejected'],
): readonly Pick<MetricDatum, 'name' | 'unit' | 'values'>[] => {
  if (typeof name !== 'string' || !Object.hasOwn(record, name)) return [];
  const value = record[name];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0 || !values.every((each) => typeof each === 'number')) return [];
  if (values.length > MAX_VALUES) {
    onRejected(`metric ${name} has ${values.length} values, at most ${MAX_VALUES} are taken`);
    return [];
  }
  return [{ name, values, ...(typeof unit === 'string' && { unit }) }];
};

const readDimensionSets = (
  { Dimensions: sets }: Fields,
  record: Fields,
  onRejected: EmfReading['onRejected'],
): readonly Readonly<Record<string, string>>[] => {
  if (!Array.isArray(sets) || sets.length === 0) return [{}];
  return sets.flatMap((names: unknown) => {
    if (!Array.isArray(names)) return [];
    if (names.length > MAX_DIMENSIONS) {
      onRejected(`a dimension set has ${names.length} dimensions, at most ${MAX_DIMENSIONS} are taken`);
      return [];
    }
    const dimensions = names.map((name: unknown) => [name, dimensionValue(record, name)] as const);
    const isWhole = dimensions.every(([, value]) => value !== undefined);
    return isWhole ? [Object.fromEntries(dimensions) as Record<string, string>] : [];
  });
};

const dimensionValue = (record: Fields, name: unknown): string | undefined => {
  const value = typeof name === 'string' && Object.hasOwn(record, name) ? record[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
};
