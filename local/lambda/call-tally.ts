import type { FinishedCall } from './invoke.ts';
import { PERIOD_MS } from './metric-batch.ts';

/** Calls that differ in nothing that a metric tells apart but in how long they took and how they ended. */
export interface TalliedCalls extends Omit<FinishedCall, 'durationMs' | 'hasFailed'> {
  /** How many took so long, by hundredths of a millisecond, as Lambda's own reports have it. */
  readonly durations: ReadonlyMap<number, number>;
  readonly failed: number;
  readonly succeeded: number;
  /** Of the newest. */
  readonly timestampMs: number;
}

interface Tally extends TalliedCalls {
  readonly durations: Map<number, number>;
  failed: number;
  succeeded: number;
  timestampMs: number;
}

/** Counts calls as they come, so that metrics are made once for many of them. */
export const createCallTally = () => {
  let tallies = new Map<string, Tally>();

  return {
    add(call: FinishedCall, timestampMs: number): void {
      const { functionName, qualifier, version, byProvisioned, durationMs, hasFailed } = call;
      const minute = Math.floor(timestampMs / PERIOD_MS);
      const key = `${functionName} ${qualifier} ${version} ${byProvisioned} ${minute}`;
      let tally = tallies.get(key);
      if (tally === undefined) {
        const calls = { functionName, qualifier, version, byProvisioned };
        tally = { ...calls, durations: new Map(), failed: 0, succeeded: 0, timestampMs };
        tallies.set(key, tally);
      }
      const hundredths = Math.round(100 * durationMs);
      tally.durations.set(hundredths, (tally.durations.get(hundredths) ?? 0) + 1);
      if (hasFailed) tally.failed++;
      else tally.succeeded++;
      tally.timestampMs = Math.max(tally.timestampMs, timestampMs);
    },

    /** All since it was last asked. */
    take(): Iterable<TalliedCalls> {
      const taken = tallies;
      tallies = new Map();
      return taken.values();
    },
  };
};
