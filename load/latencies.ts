import { build } from 'hdr-histogram-js';

const LONGEST_MICROSECONDS = 3_600_000_000;

export interface LatencySummary {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface Latencies {
  readonly record: (latencyMs: number) => void;
  /** Milliseconds, exact to three digits; null without any. */
  readonly summary: () => LatencySummary | null;
  readonly reset: () => void;
}

/** Every latency counts, in 95 kB however many there are: a sample would lose the slowest. */
export const createLatencies = (): Latencies => {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
  });
  const percentileMs = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1000;

  return {
    record: (latencyMs) => {
      const microseconds = Math.round(latencyMs * 1000);
      histogram.recordValue(Math.min(Math.max(microseconds, 0), LONGEST_MICROSECONDS));
    },
    summary: () =>
      histogram.totalCount === 0
        ? null
        : {
            p50: percentileMs(50),
            p90: percentileMs(90),
            p99: percentileMs(99),
            max: percentileMs(100),
          },
    reset: () => histogram.reset(),
  };
};
