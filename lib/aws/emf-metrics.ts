import { Metrics as EmfMetrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../metrics/metrics.ts';

export interface EmfMetricsOptions {
  readonly namespace: string;
  /** Dimensions of every metric; each distinct set is billed as a metric of its own. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly flushEveryMs: number;
  readonly now: Clock;
  /** What is looked at once per record, by name. */
  readonly gauges?: () => Readonly<Record<string, number>>;
}

/**
 * Metrics as CloudWatch's embedded metric format: one log record for everything since the last. Powertools writes one
 * earlier by itself when a metric has 100 values, the most that a record may hold. What a reaped environment had
 * not flushed is lost: at most `flushEveryMs` of it.
 */
export const emfMetrics = (options: EmfMetricsOptions): Metrics => {
  const { namespace, dimensions, flushEveryMs, now, gauges = NO_GAUGES } = options;
  const emf = new EmfMetrics({ namespace });
  // Powertools adds a dimension `service` of its own, and a metric is found by exactly the dimensions it has.
  emf.clearDefaultDimensions();
  emf.setDefaultDimensions({ ...dimensions });
  const sums = new Map<string, number>();
  let oldestMs: number | undefined;

  const add = (name: string, unit: (typeof MetricUnit)[keyof typeof MetricUnit], value: number): void => {
    oldestMs ??= now();
    emf.addMetric(name, unit, value);
  };

  return {
    count(name, n = 1) {
      oldestMs ??= now();
      sums.set(name, (sums.get(name) ?? 0) + n);
    },
    sample: (name, value) => add(name, MetricUnit.NoUnit, value),
    timeMicros: (name, micros) => add(name, MetricUnit.Microseconds, Math.round(micros)),
    flushIfDue() {
      if (oldestMs === undefined || now() - oldestMs < flushEveryMs) return;
      for (const [name, sum] of sums) emf.addMetric(name, MetricUnit.NoUnit, round(sum));
      for (const [name, value] of Object.entries(gauges())) emf.addMetric(name, MetricUnit.NoUnit, value);
      sums.clear();
      if (emf.hasStoredMetrics()) emf.publishStoredMetrics();
      oldestMs = undefined;
    },
  };
};

const NO_GAUGES = (): Readonly<Record<string, number>> => ({});

/** A sum of fractions such as 1/3 need not be written with 17 digits. */
const round = (sum: number): number => Math.round(sum * 10_000) / 10_000;
