import { callOnce, type Loop } from './loop.ts';

export interface OpenPace {
  readonly callsPerSecond: number;
  readonly maxInFlight: number;
}

/** So many calls that are overdue start at once before answers are let in. */
const BURST = 64;

/** Starts calls at a constant rate, whatever becomes of those before; resolves once all are answered. */
export const runOpenLoop = async (loop: Loop, { callsPerSecond, maxInFlight }: OpenPace): Promise<void> => {
  const { next, recorder, clock, seconds, stop } = loop;
  const startedAtMs = clock.nowMs();
  const calls = Math.max(1, Math.round(callsPerSecond * seconds));
  const inFlight = new Set<Promise<void>>();

  for (let index = 0; index < calls; index++) {
    const dueAtMs = startedAtMs + (index * 1000) / callsPerSecond;
    const aheadMs = dueAtMs - clock.nowMs();
    if (aheadMs >= 1) await clock.wait(aheadMs, stop);
    else if (index % BURST === 0) await clock.wait(0, stop);
    if (stop.aborted) break;

    const pick = next();
    if (inFlight.size >= maxInFlight) {
      recorder.skipped();
      continue;
    }
    const call = callOnce(loop, pick, dueAtMs).finally(() => inFlight.delete(call));
    inFlight.add(call);
  }

  // The last call's own share of the time: without it the rate would seem higher than it was.
  const restMs = startedAtMs + seconds * 1000 - clock.nowMs();
  if (restMs >= 1 && !stop.aborted) await clock.wait(restMs, stop);
  await Promise.all(inFlight);
};
