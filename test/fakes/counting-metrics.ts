import type { Metrics } from '../../lib/metrics/metrics.ts';

/** The Metrics port, keeping its counts where a test can look. */
export const countingMetrics = (): Metrics & { counts(): Readonly<Record<string, number>> } => {
  const counts: Record<string, number> = {};
  return {
    count: (name, n = 1) => {
      counts[name] = (counts[name] ?? 0) + n;
    },
    timeMicros: () => undefined,
    flushIfDue: () => undefined,
    counts: () => counts,
  };
};
