import { Metrics as EmfMetrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../metrics/metrics.ts';

export interface EmfMetricsOptions {
  readonly namespace: string;
  /** Dimensions of every metric; each distinct set is billed as a metric of its own. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly flushEveryMs: number;
  readonly now: Clock;
}

/**
 * Metrics as CloudWatch's embedded metric format: one log record for everything since the last. Powertools writes one
 * earlier by itself when a metric has 100 values, the most that a record may hold. What a reaped environment had
 * not flushed is lost: at most `flushEveryMs` of it.
 */
export const emfMetrics = ({ namespace, dimensions, flushEveryMs, now }: EmfMetricsOptions): Metrics => {
  const emf = new EmfMetrics({ namespace });
  // Powertools adds a dimension `service` of its own, and a metric is found by exactly the dimensions it has.
  emf.clearDefaultDimensions();
  emf.setDefaultDimensions({ ...dimensions });
  let oldestMs: number | undefined;

  return {
    count(name, n = 1) {
      oldestMs ??= now();
      emf.addMetric(name, MetricUnit.Count, n);
    },
    timeMicros(name, micros) {
      oldestMs ??= now();
      emf.addMetric(name, MetricUnit.Microseconds, micros);
    },
    flushIfDue() {
      if (oldestMs === undefined || now() - oldestMs < flushEveryMs) return;
      if (emf.hasStoredMetrics()) emf.publishStoredMetrics();
      oldestMs = undefined;
    },
  };
};
