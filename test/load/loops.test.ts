import { describe, expect, it } from 'vitest';
import { runClosedLoop } from '../../load/closed-loop.ts';
import type { Clock, Loop } from '../../load/loop.ts';
import { runOpenLoop } from '../../load/open-loop.ts';
import { createRecorder } from '../../load/recorder.ts';
import type { Answer } from '../../load/send.ts';

const SUCCESS: Answer = { kind: 'success', label: '200' };

/** Waiting is what makes its time pass, once answers are in; `stallMs` may make a wait longer than was asked. */
const turnedClock = (
  stallMs: (nowMs: number) => number = () => 0,
): Clock & { advance: (ms: number) => void } => {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    wait: async (ms) => {
      await new Promise((resolve) => setImmediate(resolve));
      nowMs += ms + stallMs(nowMs);
    },
    advance: (ms) => {
      nowMs += ms;
    },
  };
};
const loop = (overrides: Partial<Loop> = {}): Loop => ({
  next: () => ({ model: 'm', group: 'all models' }),
  send: async () => SUCCESS,
  recorder: createRecorder(),
  clock: turnedClock(),
  seconds: 2,
  stop: new AbortController().signal,
  ...overrides,
});

describe('the open loop', () => {
  it.each([
    [100, 2, 200],
    [0.5, 4, 2],
    [0.1, 2, 1],
    [3000, 1, 3000],
  ])('starts %d calls a second for %d s: %d', async (callsPerSecond, seconds, calls) => {
    const run = loop({ seconds });

    await runOpenLoop(run, { callsPerSecond, maxInFlight: 10_000 });

    expect(run.recorder.figures()).toMatchObject({ calls, skipped: 0 });
    expect(run.clock.nowMs()).toBeCloseTo(seconds * 1000, -1);
  });

  it('does not wait for answers, and skips what goes beyond the bound', async () => {
    const answers: ((answer: Answer) => void)[] = [];
    const clock = turnedClock((nowMs) => {
      if (nowMs >= 1990) for (const answer of answers) answer(SUCCESS);
      return 0;
    });
    const run = loop({ clock, send: () => new Promise((resolve) => answers.push(resolve)) });

    await runOpenLoop(run, { callsPerSecond: 100, maxInFlight: 5 });

    expect(run.recorder.figures()).toMatchObject({ calls: 5, succeeded: 5, skipped: 195 });
  });

  it('counts latency from when a call was due, so that a stall is not hidden', async () => {
    let stalled = false;
    const clock = turnedClock((nowMs) => {
      if (stalled || nowMs < 500) return 0;
      stalled = true;
      return 300;
    });
    const run = loop({ clock, seconds: 1 });

    await runOpenLoop(run, { callsPerSecond: 100, maxInFlight: 1000 });

    // The 30 calls of the stall were answered at once, but up to 300 ms after they were due.
    const { calls, latencyMs, startedLateMs } = run.recorder.figures();
    expect(calls).toBe(100);
    expect(latencyMs?.max).toBeCloseTo(300, -1);
    expect(startedLateMs?.max).toBeCloseTo(300, -1);
    expect(latencyMs?.p50).toBeLessThan(1);
  });

  it('starts nothing more once it is stopped', async () => {
    const stop = new AbortController();
    let sent = 0;
    const run = loop({
      stop: stop.signal,
      send: async () => {
        if (++sent === 10) stop.abort();
        return SUCCESS;
      },
    });

    await runOpenLoop(run, { callsPerSecond: 100, maxInFlight: 1000 });

    expect(run.recorder.figures()).toMatchObject({ calls: 10, succeeded: 10 });
  });
});

describe('the closed loop', () => {
  it('has as many calls in flight as connections, each waiting for its answer', async () => {
    const clock = turnedClock();
    let [inFlight, most] = [0, 0];
    const run = loop({
      clock,
      seconds: 1,
      send: async () => {
        most = Math.max(most, ++inFlight);
        await Promise.resolve();
        clock.advance(10);
        inFlight -= 1;
        return SUCCESS;
      },
    });

    await runClosedLoop(run, 4);

    // The fake time is one for all four: 1000 ms have 100 calls of 10 ms, and those on their way at the end.
    const { calls } = run.recorder.figures();
    expect(most).toBe(4);
    expect(calls).toBeGreaterThanOrEqual(100);
    expect(calls).toBeLessThanOrEqual(104);
  });

  it('starts nothing more once it is stopped', async () => {
    const stop = new AbortController();
    let sent = 0;
    const run = loop({
      stop: stop.signal,
      send: async () => {
        if (++sent === 10) stop.abort();
        return SUCCESS;
      },
    });

    await runClosedLoop(run, 1);

    expect(run.recorder.figures()).toMatchObject({ calls: 10 });
  });
});
