/** What a group asks of the budget. */
export interface Claim {
  readonly group: string;
  /** Workers that its load is worth. */
  readonly target: number;
  /** Workers that somebody was promised whatever the load. */
  readonly min: number;
  /** What its first worker is worth, in dollars per second: it breaks ties. */
  readonly worth: number;
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
 * the group that has the least of what it asks for.
 */
export const shareBudget = (claims: readonly Claim[], budget: number): ReadonlyMap<string, number> => {
  const promised = sharePromises(claims, budget);
  const given = new Map(claims.map(({ group }) => [group, promised.get(group) ?? 0]));
  let left = budget - [...given.values()].reduce((total, workers) => total + workers, 0);

  const wanting = claims.filter(({ group, target }) => target > (given.get(group) ?? 0));
  while (left > 0 && wanting.length > 0) {
    wanting.sort(
      (a, b) =>
        (given.get(a.group) ?? 0) / a.target - (given.get(b.group) ?? 0) / b.target ||
        b.worth - a.worth ||
        (a.group < b.group ? -1 : 1),
    );
    const [next] = wanting;
    if (next === undefined) break;
    const workers = (given.get(next.group) ?? 0) + 1;
    given.set(next.group, workers);
    if (workers >= next.target) wanting.shift();
    left--;
  }
  return given;
};

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
