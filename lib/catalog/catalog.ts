import type { Routes } from './routes.ts';

/** One inference function and the workers asked for it. */
export interface Group {
  readonly name: string;
  readonly tier: 'cold' | 'hot';
  readonly functionName: string;
  /** Provisioned concurrency asked for. */
  readonly workers: number;
  /** Models that a worker of provisioned concurrency loads before its first call, the most valuable first. */
  readonly models: readonly string[];
}

/** How one model fared when a worker got ready. */
export interface PreloadReport {
  readonly model: string;
  /** What was thrown, else the model is open. */
  readonly error?: string;
  readonly tookMs: number;
  /** When it was said, epoch milliseconds. */
  readonly atMs?: number;
}

/** A group as it is kept: with what its workers have said. */
export interface GroupRow extends Group {
  /** By the function's version: what the worker said that got ready last. */
  readonly preloads: ReadonlyMap<string, readonly PreloadReport[]>;
}

/** Port. The truth about tiers, groups and routes. Absence is an answer, not an error. */
export interface Catalog {
  readRoutes(): Promise<Routes | undefined>;
  /**
   * Replaces the routes if their epoch is still `expectedEpoch` (`undefined`: if there are none yet).
   * @returns false when somebody else was faster; nothing is written then.
   */
  writeRoutes(routes: Routes, expectedEpoch: number | undefined): Promise<boolean>;
  listGroups(names: readonly string[]): Promise<readonly GroupRow[]>;
  /** Writes what a group is; what its workers have said stays. */
  putGroup(group: Group): Promise<void>;
  /** Forgets what workers of these versions have said. */
  forgetPreloads(group: string, versions: readonly string[]): Promise<void>;
}
