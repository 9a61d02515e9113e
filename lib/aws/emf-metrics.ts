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

type Unit = (typeof MetricUnit)[keyof typeof MetricUnit];

interface Series {
  readonly unit: Unit;
  readonly values: number[];
}

/** The most values of one metric that a record may hold (CloudWatch, embedded metric format specification). */
const MAX_VALUES = 100;

/**
 * Metrics as CloudWatch's embedded metric format: one log record for everything since the last, and one earlier when a metric has as many
 * values as a record may hold. Powertools is told of them once per record: telling it of each as it came was a tenth of a router's time
 * (docs/performance.md). What a reaped environment had not flushed is lost: at most `flushEveryMs` of it.
 */
export const emfMetrics = (options: EmfMetricsOptions): Metrics => {
  const { namespace, dimensions, flushEveryMs, now, gauges = NO_GAUGES } = options;
  const emf = new EmfMetrics({ namespace });
  // Powertools adds a dimension `service` of its own, and a metric is found by exactly the dimensions it has.
  emf.clearDefaultDimensions();
  emf.setDefaultDimensions({ ...dimensions });
  const sums = new Map<string, number>();
  const series = new Map<string, Series>();
  let oldestMs: number | undefined;

  /** Powertools publishes by itself when it is told of the hundredth value. */
  const publish = (): void => {
    for (const [name, { unit, values }] of series)
      for (const value of values) emf.addMetric(name, unit, value);
    series.clear();
    if (emf.hasStoredMetrics()) emf.publishStoredMetrics();
  };

  const add = (name: string, unit: Unit, value: number): void => {
    oldestMs ??= now();
    const found = series.get(name);
    if (found === undefined) series.set(name, { unit, values: [value] });
    else if (found.values.push(value) === MAX_VALUES) publish();
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
      publish();
      oldestMs = undefined;
    },
  };
};

const NO_GAUGES = (): Readonly<Record<string, number>> => ({});

/** A sum of fractions such as 1/3 need not be written with 17 digits. */
const round = (sum: number): number => Math.round(sum * 10_000) / 10_000;
