import { describe, expect, it } from 'vitest';
import { createPattern, modelNames, modelsNeeded, type PatternName, type Pick } from '../../load/patterns.ts';
import { diabetesModel } from '../../local/seed.ts';

const PICKS = 10_000;
const MODELS = modelNames('diabetes-', 100);

const picksOf = (name: PatternName, { models = MODELS, seed = 1, picks = PICKS } = {}): readonly Pick[] => {
  const next = createPattern(name, models, seed);
  return Array.from({ length: picks }, next);
};

/** Calls per model, most first. */
const countsOf = (picks: readonly Pick[]): readonly number[] => {
  const counts = new Map<string, number>();
  for (const { model } of picks) counts.set(model, (counts.get(model) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => b - a);
};
const shareOf = (picks: readonly Pick[], group: Pick['group']): number =>
  picks.filter((pick) => pick.group === group).length / picks.length;

describe('the names of models', () => {
  it('are those that npm start uploads', () => {
    expect(modelNames('diabetes-', 3)).toEqual([diabetesModel(1), diabetesModel(2), diabetesModel(3)]);
  });
});

describe('even', () => {
  it('calls each model as often as any other', () => {
    expect(countsOf(picksOf('even'))).toEqual(Array(100).fill(100));
  });

  it('does not go through the list from front to back', () => {
    const first = picksOf('even', { picks: 100 }).map(({ model }) => model);

    expect(first).not.toEqual(MODELS);
    expect([...first].sort()).toEqual(MODELS);
  });
});

describe('hot', () => {
  it('gives one model 95 % of the calls, and the others equal shares of the rest', () => {
    const picks = picksOf('hot');
    const [hot = 0, ...others] = countsOf(picks);

    expect(hot / PICKS).toBeCloseTo(0.95, 2);
    expect(others).toHaveLength(99);
    expect(Math.max(...others) - Math.min(...others)).toBeLessThanOrEqual(1);
    expect(shareOf(picks, 'hot model')).toBe(hot / PICKS);
    expect(shareOf(picks, 'others')).toBeCloseTo(0.05, 2);
  });
});

describe('few', () => {
  it('gives ten models equal shares of 90 % of the calls, and the others of the rest', () => {
    const picks = picksOf('few');
    const counts = countsOf(picks);
    const [ten, others] = [counts.slice(0, 10), counts.slice(10)];

    expect(shareOf(picks, 'ten models')).toBeCloseTo(0.9, 2);
    expect(Math.max(...ten) - Math.min(...ten)).toBeLessThanOrEqual(1);
    expect(others).toHaveLength(90);
    expect(Math.max(...others) - Math.min(...others)).toBeLessThanOrEqual(1);
  });
});

describe('every pattern', () => {
  it.each(['even', 'hot', 'few'] as const)('%s makes the same calls from the same seed', (name) => {
    expect(picksOf(name, { picks: 500 })).toEqual(picksOf(name, { picks: 500 }));
    expect(picksOf(name, { picks: 500 })).not.toEqual(picksOf(name, { picks: 500, seed: 2 }));
  });

  it.each(['even', 'hot', 'few'] as const)('%s runs with the fewest models it needs', (name) => {
    const models = modelNames('m-', modelsNeeded(name));

    expect(countsOf(picksOf(name, { models }))).toHaveLength(models.length);
  });
});
