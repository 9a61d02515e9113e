import type { MetricReader, Points } from './metric-reader.ts';
import { SEEN_MINUTES } from './observation.ts';
import type { MetricNames } from './observe.ts';

const BLIND_AFTER_MINUTES = 6;
const IDLE_MINUTES = 15;

export interface DataClock {
  /** Number of the settled minute, from the epoch; absent: CloudWatch is silent. */
  readonly settledMinute?: number;
  /** The minutes of which there is word, by number: in others silence says nothing. */
  readonly known: ReadonlySet<number>;
  /** Whether the router was called in the quarter of an hour up to it. */
  readonly isCalled: boolean;
}

/**
 * R1. The scaler's own Invocations are the canary: it runs every minute, so where it has a point CloudWatch has settled, and
 * what others have not there is silence of callers. One more minute is left for corrections. R12 needs no other metric.
 */
export const readClock = async (
  metrics: MetricReader,
  { routerFunction, scalerFunction }: Pick<MetricNames, 'routerFunction' | 'scalerFunction'>,
  nowMs: number,
  minuteMs: number,
): Promise<DataClock> => {
  const thisMinute = Math.floor(nowMs / minuteMs);
  const invocations = (FunctionName: string) => ({
    namespace: 'AWS/Lambda',
    name: 'Invocations',
    dimensions: { FunctionName },
    statistic: 'Sum' as const,
  });
  const [canary = NONE, router = NONE] = await metrics.read(
    [invocations(scalerFunction), invocations(routerFunction)],
    {
      fromMs: (thisMinute - BLIND_AFTER_MINUTES - SEEN_MINUTES - 2) * minuteMs,
      toMs: (thisMinute + 1) * minuteMs,
      periodMs: minuteMs,
    },
  );

  const known = new Set([...canary.keys()].map((startMs) => Math.floor(startMs / minuteMs)));
  const newest = Math.max(...known);
  if (!Number.isFinite(newest) || thisMinute - newest > BLIND_AFTER_MINUTES)
    return { isCalled: false, known };
  const settledMinute = newest - 1;
  // What is not settled yet counts as well: it can only wake.
  const isCalled = [...router].some(
    ([startMs, calls]) => calls > 0 && Math.floor(startMs / minuteMs) > settledMinute - IDLE_MINUTES,
  );
  return { settledMinute, isCalled, known };
};

const NONE: Points = new Map();
