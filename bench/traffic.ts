/** How calls spread over the models; the patterns that the article compares. */
export const PATTERNS = ['even', 'hot', 'few'] as const;
export type Pattern = (typeof PATTERNS)[number];

export const describePattern: Readonly<Record<Pattern, string>> = {
  even: 'even over all',
  hot: 'one takes 95 %',
  few: 'ten take 90 %',
};

/** The first `takers` models take `share` of the calls, each as much as the others. */
const POPULAR: Readonly<Record<Pattern, { readonly takers: number; readonly share: number }>> = {
  even: { takers: 0, share: 0 },
  hot: { takers: 1, share: 0.95 },
  few: { takers: 10, share: 0.9 },
};

/** @returns a function that gives the index of the next model: the same sequence each time, so that both sides of a comparison get the same calls */
export const trafficOver = (models: number, pattern: Pattern): (() => number) => {
  const random = randomNumbers();
  const order = shuffled(models, random);
  const { takers, share } = POPULAR[pattern];
  let next = 0;
  let popular = 0;
  return () => {
    if (takers > 0 && random() < share) return popular++ % Math.min(takers, models);
    return order[next++ % models] ?? 0;
  };
};

/** Park and Miller's generator. */
const randomNumbers = (): (() => number) => {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
};

/** So that neighbours in the list are not neighbours in time on every connection alike. */
const shuffled = (count: number, random: () => number): readonly number[] => {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [order[index], order[other]] = [order[other] ?? 0, order[index] ?? 0];
  }
  return order;
};
