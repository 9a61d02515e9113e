export const PATTERNS = ['even', 'hot', 'few'] as const;
export type PatternName = (typeof PATTERNS)[number];

/** Whose figures a call counts in. */
export type Group = 'all models' | 'hot model' | 'ten models' | 'others';

export interface Pick {
  readonly model: string;
  readonly group: Group;
}

interface Shape {
  readonly popularModels: number;
  readonly popularShare: number;
  readonly popularGroup: Group;
}

const SHAPES: Readonly<Record<PatternName, Shape>> = {
  even: { popularModels: 0, popularShare: 0, popularGroup: 'all models' },
  hot: { popularModels: 1, popularShare: 0.95, popularGroup: 'hot model' },
  few: { popularModels: 10, popularShare: 0.9, popularGroup: 'ten models' },
};

/** Copies of a model as the local cloud names them. */
export const modelNames = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index + 1).padStart(4, '0')}.tar.gz`);

/** A pattern with a popular model needs one beside it, or there are no others to see. */
export const modelsNeeded = (name: PatternName): number => SHAPES[name].popularModels + 1;

/** Chooses whom to call next. The same models and seed make the same calls. */
export const createPattern = (name: PatternName, models: readonly string[], seed: number): (() => Pick) => {
  const { popularModels, popularShare, popularGroup } = SHAPES[name];
  const random = createRandom(seed);
  // Names that are neighbours in the list would otherwise be neighbours in time, and perhaps in one shard.
  const shuffled = shuffle(models, random);
  const nextPopular = inTurn(shuffled.slice(0, popularModels));
  const nextOther = inTurn(shuffled.slice(popularModels));
  const otherGroup: Group = popularModels === 0 ? 'all models' : 'others';

  return () =>
    random() < popularShare
      ? { model: nextPopular(), group: popularGroup }
      : { model: nextOther(), group: otherGroup };
};

const inTurn = (models: readonly string[]): (() => string) => {
  let turn = 0;
  return () => {
    const model = models[turn++ % models.length];
    if (model === undefined) throw new Error('a pattern got fewer models than modelsNeeded says');
    return model;
  };
};

const shuffle = (models: readonly string[], random: () => number): readonly string[] =>
  models
    .map((model) => ({ model, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ model }) => model);

/** mulberry32: from 0 to 1, without 1. */
const createRandom = (seed: number): (() => number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
};
