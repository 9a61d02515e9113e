/** What a group asks of the budget. */
export interface Claim {
  readonly group: string;
  /** Workers that its load is worth. */
  readonly target: number;
  /** Workers that somebody was promised whatever the load. */
  readonly min: number;
  /** What its first, second, ... worker is worth, in dollars per second; each no more than the one before. */
  readonly worths: readonly number[];
}

/** R8. Workers that all groups together may have, of what the account has left. */
export const budgetOf = (
  workerBudget: number,
  account: { readonly limit: number; readonly unreserved: number } | undefined,
): number => {
  if (account === undefined) return workerBudget;
  const { limit, unreserved } = account;
  const reserved = limit - unreserved;
  // Lambda keeps 100 for functions without reservations; a fifth is for calls on demand, the router's too.
  return Math.max(0, Math.min(workerBudget, Math.floor(limit - 100 - reserved - 0.2 * limit)));
};

/**
 * R8. Shares the budget: first what was promised, by largest remainder if that is too much, then one worker at a time to
 * the group whose next one is worth most (as each is worth no more than the one before, nothing could be worth more together);
 * where that is about the same, to the one that has the least of what it asks for.
 */
export const shareBudget = (claims: readonly Claim[], budget: number): ReadonlyMap<string, number> => {
  const promised = sharePromises(claims, budget);
  const given = new Map(claims.map(({ group }) => [group, promised.get(group) ?? 0]));
  let left = budget - [...given.values()].reduce((total, workers) => total + workers, 0);

  const wanting = new Set(claims.filter(({ group, target }) => target > (given.get(group) ?? 0)));
  while (left > 0 && wanting.size > 0) {
    const next = [...wanting].reduce((a, b) => (isBefore(b, a, given) ? b : a));
    const workers = (given.get(next.group) ?? 0) + 1;
    given.set(next.group, workers);
    if (workers >= next.target) wanting.delete(next);
    left--;
  }
  return given;
};

const isBefore = (a: Claim, b: Claim, given: ReadonlyMap<string, number>): boolean => {
  const has = ({ group }: Claim): number => given.get(group) ?? 0;
  const byWorth = band(b.worths[has(b)]) - band(a.worths[has(a)]);
  if (byWorth !== 0) return byWorth < 0;
  const byShare = has(a) / a.target - has(b) / b.target;
  return byShare === 0 ? a.group < b.group : byShare < 0;
};

/** Worths within a fifth of each other are about the same: a hair's breadth must not give one group everything. */
const band = (worth = 0): number => (worth <= 0 ? NO_WORTH : Math.round(4 * Math.log2(worth)));

/** Below that of anything: 2 to the power of -250. */
const NO_WORTH = -1000;

const sharePromises = (claims: readonly Claim[], budget: number): ReadonlyMap<string, number> => {
  const promised = claims.reduce((total, { min }) => total + min, 0);
  if (promised <= budget) return new Map(claims.map(({ group, min }) => [group, min]));

  const exact = claims.map(({ group, min }) => ({ group, share: (min * budget) / promised }));
  const whole = new Map(exact.map(({ group, share }) => [group, Math.floor(share)]));
  let left = budget - [...whole.values()].reduce((total, workers) => total + workers, 0);
  const byRemainder = exact.toSorted((a, b) => (b.share % 1) - (a.share % 1) || (a.group < b.group ? -1 : 1));
  for (const { group } of byRemainder) {
    if (left-- <= 0) break;
    whole.set(group, (whole.get(group) ?? 0) + 1);
  }
  return whole;
};
