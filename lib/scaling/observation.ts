import type { PreloadReport } from '../catalog/catalog.ts';
import type { ModelRow } from '../catalog/model-row.ts';
import type { Routes } from '../catalog/routes.ts';
import type { Account, Allocation } from './fleet.ts';

/** One number per minute, oldest first; the last is of the settled minute. All have the same length. */
export type Minutes = readonly number[];

/** How many settled minutes are looked at: the longest that a rule asks for. */
export const SEEN_MINUTES = 60;

/** Minutes after the settled one in which something may be seen already. */
export const FRESH_MINUTES = 3;

/** What CloudWatch knows of one group. */
export interface GroupSeen {
  readonly calls: Minutes;
  /** Milliseconds that handlers ran. */
  readonly busyMs: Minutes;
  /** Of these, milliseconds that calls waited for models to load. */
  readonly loadMs: Minutes;
  /** Calls that provisioned workers took. */
  readonly provisioned: Minutes;
  /** Milliseconds that first calls waited for environments that were not provisioned: init, and the load of their model. */
  readonly startMs: Minutes;
  /** Such calls: the answers that are slow for want of a worker. */
  readonly slow: Minutes;
  /** The fullest worker's share of its memory for models, from 0 to 1. */
  readonly memoryUse: Minutes;
}

/** What workers say of one model that has a real share of their time. */
export interface ModelSeen {
  readonly calls: Minutes;
  readonly busySeconds: Minutes;
  /** The minutes after the settled one, as far as there is word of them: what is there may still grow, and never shrinks. */
  readonly fresh: { readonly calls: Minutes; readonly busySeconds: Minutes };
}

/** What Lambda says of one group. */
export interface FleetSeen {
  /** The published version behind alias `live`; absent when it was not looked at. */
  readonly liveVersion?: string;
  /** All of its provisioned concurrency, old versions included. */
  readonly allocations: readonly Allocation[];
}

/** Everything that a decision depends on, besides what was decided before. */
export interface Observation {
  readonly nowMs: number;
  /** Number of the settled minute, counted from the epoch; absent: CloudWatch has been silent for too long (R1). */
  readonly settledMinute?: number;
  /** Of the minutes that are looked at, those of which CloudWatch has word at all. */
  readonly knownMinutes: number;
  /** Nobody has called for a quarter of an hour and nothing is provisioned: nothing more was read (R12). */
  readonly isIdle: boolean;
  readonly groups: ReadonlyMap<string, GroupSeen>;
  readonly models: ReadonlyMap<string, ModelSeen>;
  /** Rows of models that have one, of those that are candidates, placed, or asked for by somebody. */
  readonly rows: ReadonlyMap<string, ModelRow>;
  readonly fleet: ReadonlyMap<string, FleetSeen>;
  /** By group, then by version. */
  readonly preloads: ReadonlyMap<string, ReadonlyMap<string, readonly PreloadReport[]>>;
  readonly routes: Routes | undefined;
  readonly account?: Account;
}
