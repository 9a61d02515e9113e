import type { MetricDatum, RecordMetric } from '../services/cloudwatch/metric-datum.ts';

export type Dimensions = MetricDatum['dimensions'];

export interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly dimensions: Dimensions;
  readonly value: number;
}

const NAMESPACE = 'AWS/Lambda';
/** What Lambda vends has a period of one minute: values of two minutes are not handed over as one. */
const PERIOD_MS = 60_000;

interface Gathered extends Omit<Measure, 'value'> {
  readonly counts: Map<number, number>;
  /** Of the newest value. */
  timestampMs: number;
}

/** Dimensions that are added to again and again are the same object: written once. */
const written = new WeakMap<Dimensions, string>();
const writeDimensions = (dimensions: Dimensions): string => {
  const known = written.get(dimensions) ?? JSON.stringify(dimensions);
  written.set(dimensions, known);
  return known;
};

/** Gathers values, and hands them over as one datum per metric, set of dimensions and minute. */
export const createMetricBatch = (record: RecordMetric) => {
  let gathered = new Map<string, Gathered>();

  return {
    add({ name, unit, dimensions, value }: Measure, timestampMs: number): void {
      const key = `${name} ${Math.floor(timestampMs / PERIOD_MS)} ${writeDimensions(dimensions)}`;
      let found = gathered.get(key);
      if (found === undefined) {
        found = { name, unit, dimensions, counts: new Map(), timestampMs };
        gathered.set(key, found);
      }
      found.counts.set(value, (found.counts.get(value) ?? 0) + 1);
      found.timestampMs = Math.max(found.timestampMs, timestampMs);
    },

    flush(): void {
      const ready = gathered;
      gathered = new Map();
      for (const { counts, ...metric } of ready.values()) {
        record({ ...metric, namespace: NAMESPACE, values: [...counts.keys()], counts: [...counts.values()] });
      }
    },
  };
};
