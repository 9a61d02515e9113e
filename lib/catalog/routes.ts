/** One inference function as it is invoked: alias `live` for cold groups, a version number for hot ones. */
export interface Target {
  readonly functionName: string;
  readonly qualifier: string;
}

/**
 * Where requests go: the one item that routers read. A model that is not in `hot` is cold, and its home is
 * found by hashing over `coldGroups`, so a million idle models need no rows.
 */
export interface Routes {
  /** Grows by one with every change; writes are conditional on it. */
  readonly epoch: number;
  /** Names of the active cold groups, e.g. `cold-00`. Never empty. */
  readonly coldGroups: readonly string[];
  readonly hot: ReadonlyMap<string, Target>;
  /** Models that are kept from workers for a time; written by routers, not by the scaler. */
  readonly fences?: ReadonlyMap<string, Fence>;
}

/** Why and how long a model is kept from workers. */
export interface Fence {
  /** Epoch milliseconds. */
  readonly untilMs: number;
  readonly reason: string;
}
