import type { Routes } from './routes.ts';

/** One inference function and the workers asked for it. */
export interface Group {
  readonly name: string;
  readonly tier: 'cold' | 'hot';
  readonly functionName: string;
  /** Provisioned concurrency asked for. */
  readonly workers: number;
}

/** Port. The truth about tiers, groups and routes. Absence is an answer, not an error. */
export interface Catalog {
  readRoutes(): Promise<Routes | undefined>;
  /**
   * Replaces the routes if their epoch is still `expectedEpoch` (`undefined`: if there are none yet).
   * @returns false when somebody else was faster; nothing is written then.
   */
  writeRoutes(routes: Routes, expectedEpoch: number | undefined): Promise<boolean>;
  listGroups(names: readonly string[]): Promise<readonly Group[]>;
  putGroup(group: Group): Promise<void>;
}
