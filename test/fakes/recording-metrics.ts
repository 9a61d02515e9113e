import type { Metrics } from '../../lib/metrics/metrics.ts';

export interface RecordingMetrics extends Metrics {
  /** All values noted under a name, in order. */
  values(name: string): readonly number[];
  /** What the values under each name add up to. */
  sums(): Readonly<Record<string, number>>;
  readonly flushes: number;
}

/** The Metrics port, keeping every value where a test can look. */
export const recordingMetrics = (): RecordingMetrics => {
  const noted: (readonly [string, number])[] = [];
  let flushes = 0;
  return {
    count: (name, n = 1) => noted.push([name, n]),
    sample: (name, value) => noted.push([name, value]),
    timeMicros: (name, micros) => noted.push([name, micros]),
    flushIfDue: () => {
      flushes += 1;
    },
    values: (name) => noted.filter(([each]) => each === name).map(([, value]) => value),
    sums: () => {
      const sums: Record<string, number> = {};
      for (const [name, value] of noted) sums[name] = (sums[name] ?? 0) + value;
      return sums;
    },
    get flushes() {
      return flushes;
    },
  };
};
