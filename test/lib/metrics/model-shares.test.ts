import { describe, expect, it } from 'vitest';
import { ModelShares } from '../../../lib/metrics/model-shares.ts';

const WINDOW_MS = 60_000;

/** A minute of calls, evenly apart. */
const minuteOf = (models: readonly string[], busyMs: number): ReturnType<ModelShares['takeDue']> => {
  const shares = new ModelShares({ windowMs: WINDOW_MS });
  models.forEach((model, index) => {
    shares.note(model, busyMs, (index * WINDOW_MS) / models.length);
  });
  return shares.takeDue(WINDOW_MS);
};

describe('ModelShares', () => {
  it('names a model that has a tenth of the time and twenty calls, with all it did', () => {
    const calls = Array.from({ length: 200 }, (_, index) => (index % 5 === 0 ? 'hot' : `other-${index}`));

    expect(minuteOf(calls, 10)).toEqual({
      shares: [{ model: 'hot', calls: 40, busyMs: 400 }],
      atMs: 199 * 300,
    });
  });

  it('names one of few long calls that fill a fifth of the minute', () => {
    expect(minuteOf(['slow', 'slow', 'slow', 'a', 'b'], 5000)?.shares).toEqual([
      { model: 'slow', calls: 3, busyMs: 15_000 },
    ]);
  });

  it('names nobody before the window is over', () => {
    const shares = new ModelShares({ windowMs: WINDOW_MS });
    for (let call = 0; call < 100; call++) shares.note('hot', 100, call);

    expect(shares.takeDue(WINDOW_MS - 1)).toBeUndefined();
    expect(shares.takeDue(WINDOW_MS)?.shares).toHaveLength(1);
    expect(shares.takeDue(10 * WINDOW_MS)).toBeUndefined();
  });

  it('counts no more for a model than was its own, however many others there are', () => {
    const calls = Array.from({ length: 30_000 }, (_, index) => (index % 4 === 0 ? 'hot' : `other-${index}`));

    const [share] = minuteOf(calls, 1)?.shares ?? [];

    expect(share?.calls).toBeLessThanOrEqual(7500);
    expect(share?.calls).toBeGreaterThan(7000);
  });

  it.each([
    ['short', 5, 6000],
    ['long', 5000, 12],
  ])(
    'names none of 100,000 models that 200 workers serve alike, when calls are %s',
    (_, busyMs, perMinute) => {
      const MODELS = 100_000;
      const SHARDS = 40;
      let series = 0;
      for (let worker = 0; worker < 200; worker++) {
        // Each worker gets the models of its shard, in turn: it holds every fortieth.
        const calls = Array.from(
          { length: perMinute },
          (_, index) => `model-${((worker * perMinute + index) * SHARDS + (worker % SHARDS)) % MODELS}`,
        );
        series += minuteOf(calls, busyMs)?.shares.length ?? 0;
      }

      expect(series).toBe(0);
    },
  );

  it('names ten at most', () => {
    const calls = Array.from({ length: 6000 }, (_, index) => `model-${index % 10}`);

    expect(minuteOf(calls, 1)?.shares).toHaveLength(10);
    expect(
      minuteOf(
        calls.map((_, index) => `model-${index % 11}`),
        1,
      )?.shares,
    ).toHaveLength(0);
  });
});
