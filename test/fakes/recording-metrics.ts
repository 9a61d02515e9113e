import type { Metrics } from '../../lib/metrics/metrics.ts';

export interface RecordingMetrics extends Metrics {
  /** All values noted under a name, in order. */
  values(name: string): readonly number[];
  readonly flushes: number;
}

/** The Metrics port, keeping every value where a test can look. */
export const recordingMetrics = (): RecordingMetrics => {
  const noted: (readonly [string, number])[] = [];
  let flushes = 0;
  return {
    count: (name, n = 1) => noted.push([name, n]),
    timeMicros: (name, micros) => noted.push([name, micros]),
    flushIfDue: () => {
      flushes += 1;
    },
    values: (name) => noted.filter(([each]) => each === name).map(([, value]) => value),
    get flushes() {
      return flushes;
    },
  };
};
