import { describe, expect, it } from 'vitest';
import { trafficOver } from '../../bench/traffic.ts';

const MODELS = 1000;
const CALLS = 20_000;

const callsByModel = (pattern: 'even' | 'hot' | 'few'): readonly number[] => {
  const next = trafficOver(MODELS, pattern);
  const calls = new Array<number>(MODELS).fill(0);
  for (let call = 0; call < CALLS; call++) {
    const model = next();
    calls[model] = (calls[model] ?? 0) + 1;
  }
  return calls.sort((a, b) => b - a);
};

const share = (calls: readonly number[], most: number): number =>
  calls.slice(0, most).reduce((sum, each) => sum + each, 0) / CALLS;

describe('the traffic of the benches', () => {
  it('is the same for every model when it is even', () => {
    expect(new Set(callsByModel('even'))).toEqual(new Set([CALLS / MODELS]));
  });

  it('goes to one model for 95 % when that is hot, and to all others', () => {
    const calls = callsByModel('hot');
    expect(share(calls, 1)).toBeCloseTo(0.95, 2);
    expect(calls.filter((each) => each > 0).length).toBeGreaterThan(900);
  });

  it('goes to ten models for 90 % when those are popular, to each as much', () => {
    const calls = callsByModel('few');
    expect(share(calls, 10)).toBeCloseTo(0.9, 2);
    expect((calls[0] ?? 0) - (calls[9] ?? 0)).toBeLessThanOrEqual(20);
  });

  it('is the same each time', () => {
    const [first, second] = [trafficOver(MODELS, 'few'), trafficOver(MODELS, 'few')];
    for (let call = 0; call < 1000; call++) expect(first()).toBe(second());
  });

  it('goes to the one model that there is', () => {
    const next = trafficOver(1, 'few');
    expect(Array.from({ length: 50 }, next)).toEqual(new Array(50).fill(0));
  });
});
