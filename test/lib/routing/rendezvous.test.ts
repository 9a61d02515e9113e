import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankGroups } from '../../../lib/routing/rendezvous.ts';

const groups = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `cold-${String(index).padStart(2, '0')}`);
const models = Array.from({ length: 2000 }, (_, index) => `tenant-${index}/churn.tar.gz`);
const home = (model: string, among: readonly string[]): string | undefined => rankGroups(model, among)[0];

describe('rankGroups', () => {
  it('ranks every group exactly once, whatever the name', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 40 }), (model, count) => {
        expect([...rankGroups(model, groups(count))].sort()).toEqual(groups(count));
      }),
    );
  });

  it('does not depend on the order in which groups are listed', () => {
    fc.assert(
      fc.property(fc.string(), fc.shuffledSubarray([...groups(12)], { minLength: 12 }), (model, shuffled) => {
        expect(rankGroups(model, shuffled)).toEqual(rankGroups(model, groups(12)));
      }),
    );
  });

  it('moves only the models that a new group wins', () => {
    for (const model of models) {
      const after = home(model, groups(9));
      expect([home(model, groups(8)), 'cold-08']).toContain(after);
    }
  });

  it('moves only the models that a lost group held', () => {
    const remaining = groups(8).filter((group) => group !== 'cold-03');
    for (const model of models) {
      const before = home(model, groups(8));
      if (before !== 'cold-03') expect(home(model, remaining)).toBe(before);
    }
  });

  it.each([2, 4, 8, 32])('spreads names that differ in a digit evenly over %i groups', (count) => {
    const sizes = new Map<string | undefined, number>();
    for (const model of models)
      sizes.set(home(model, groups(count)), (sizes.get(home(model, groups(count))) ?? 0) + 1);

    // Six standard deviations of a fair draw: no seed to be lucky with, as the hash is fixed.
    const fair = models.length / count;
    const tolerance = 6 * Math.sqrt(fair);
    expect(sizes.size).toBe(count);
    for (const size of sizes.values()) expect(Math.abs(size - fair)).toBeLessThan(tolerance);
  });
});
