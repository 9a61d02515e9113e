import { createLatencies, type Latencies, type LatencySummary } from './latencies.ts';
import type { Group } from './patterns.ts';
import type { Answer } from './send.ts';

export interface Counts {
  readonly calls: number;
  /** Answered with any status. */
  readonly answered: number;
  readonly succeeded: number;
  /** By status, or by what happened instead of an answer. */
  readonly errors: Readonly<Record<string, number>>;
  /** Of successful calls only: a quick 429 would flatter a busy endpoint. */
  readonly latencyMs: LatencySummary | null;
}

export interface Figures extends Counts {
  /** Calls that were due while too many others were in flight. */
  readonly skipped: number;
  /** How late the generator itself was; within the latencies. */
  readonly startedLateMs: LatencySummary | null;
  readonly groups: readonly (Counts & { readonly group: Group })[];
}

/** What came since the last look. */
export interface Interval {
  readonly answered: number;
  readonly latencyMs: LatencySummary | null;
  /** These two since the beginning. */
  readonly failed: number;
  readonly inFlight: number;
}

export interface Recorder {
  readonly inFlight: () => number;
  readonly started: (lateMs: number) => void;
  readonly skipped: () => void;
  readonly ended: (group: Group, latencyMs: number, answer: Answer) => void;
  readonly takeInterval: () => Interval;
  readonly figures: () => Figures;
}

export const createRecorder = (): Recorder => {
  const total = createTally();
  const groups = new Map<Group, Tally>();
  const interval = createTally();
  const late = createLatencies();
  let started = 0;
  let skipped = 0;

  const tallyOf = (group: Group): Tally => {
    const tally = groups.get(group) ?? createTally();
    groups.set(group, tally);
    return tally;
  };
  const inFlight = (): number => started - total.counts().calls;

  return {
    inFlight,
    started: (lateMs) => {
      started += 1;
      late.record(lateMs);
    },
    skipped: () => {
      skipped += 1;
    },
    ended: (group, latencyMs, answer) => {
      for (const tally of [total, interval, tallyOf(group)]) tally.add(latencyMs, answer);
    },
    takeInterval: () => {
      const { answered, latencyMs } = interval.counts();
      const { calls, succeeded } = total.counts();
      interval.reset();
      return { answered, latencyMs, failed: calls - succeeded, inFlight: inFlight() };
    },
    figures: () => ({
      ...total.counts(),
      skipped,
      startedLateMs: late.summary(),
      groups: [...groups]
        .map(([group, tally]) => ({ group, ...tally.counts() }))
        .sort((a, b) => Number(a.group === 'others') - Number(b.group === 'others')),
    }),
  };
};

interface Tally {
  readonly add: (latencyMs: number, answer: Answer) => void;
  readonly counts: () => Counts;
  readonly reset: () => void;
}

const createTally = (): Tally => {
  const latencies: Latencies = createLatencies();
  const errors = new Map<string, number>();
  let [calls, answered, succeeded] = [0, 0, 0];

  return {
    add: (latencyMs, { kind, label }) => {
      calls += 1;
      if (kind !== 'lost') answered += 1;
      if (kind === 'success') {
        succeeded += 1;
        latencies.record(latencyMs);
      } else {
        errors.set(label, (errors.get(label) ?? 0) + 1);
      }
    },
    counts: () => ({
      calls,
      answered,
      succeeded,
      errors: Object.fromEntries([...errors].sort()),
      latencyMs: latencies.summary(),
    }),
    reset: () => {
      [calls, answered, succeeded] = [0, 0, 0];
      errors.clear();
      latencies.reset();
    },
  };
};
