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
export const PERIOD_MS = 60_000;

interface Gathered extends Omit<Measure, 'value'> {
  readonly counts: Map<number, number>;
  /** Of the newest value. */
  timestampMs: number;
}

export type MetricBatch = ReturnType<typeof createMetricBatch>;

/** Gathers values, and hands them over as one datum per metric, set of dimensions and minute. */
export const createMetricBatch = (record: RecordMetric) => {
  let gathered = new Map<string, Gathered>();

  return {
    add({ name, unit, dimensions, value }: Measure, timestampMs: number, times = 1): void {
      const key = JSON.stringify([name, dimensions, Math.floor(timestampMs / PERIOD_MS)]);
      const found = gathered.get(key) ?? { name, unit, dimensions, counts: new Map(), timestampMs };
      found.counts.set(value, (found.counts.get(value) ?? 0) + times);
      found.timestampMs = Math.max(found.timestampMs, timestampMs);
      gathered.set(key, found);
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
