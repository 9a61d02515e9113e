import type { Account, Allocation } from './fleet.ts';
import type { OnDemandPath } from './worth.ts';

/** A version that calls are being led away from. */
export interface Leaving {
  readonly version: string;
  /** When routes were first seen that do not name it; absent until then. */
  readonly routedAwayAtMs?: number;
}

/** What the scaler remembers of a group. */
export interface GroupRecord {
  /** The version that its calls go to; absent until it has been looked at. */
  readonly version?: string;
  /** The version behind alias `live`, as of `lookedAtMs`. */
  readonly liveVersion?: string;
  readonly lookedAtMs?: number;
  /** As Lambda said last. */
  readonly allocations: readonly Allocation[];
  /** What was decided: provisioned concurrency of `version`. */
  readonly wanted: number;
  /** When `wanted` changed last. */
  readonly changedAtMs?: number;
  /** When `allocations` were listed. */
  readonly listedAtMs?: number;
  /** By version, since when an allocation has been in progress. */
  readonly pendingSinceMs?: Readonly<Record<string, number>>;
  /** Allocations in a row that failed. */
  readonly failures: number;
  /** Workers that were there all the same when one failed last. */
  readonly failedAbove?: number;
  readonly retryAtMs?: number;
  readonly quarantinedUntilMs?: number;
  /** A version whose workers do not come, or cannot open the slot's models: calls stay where they are, until then. */
  readonly bad?: { readonly version: string; readonly untilMs: number };
  /** Since when `liveVersion` has been another than `version`. */
  readonly migratingSinceMs?: number;
  /** What was decided for `liveVersion` while it is another than `version`. */
  readonly successor?: number;
  readonly leaving: readonly Leaving[];
  /** As measured last, in seconds. */
  readonly callSeconds?: number;
  readonly path?: OnDemandPath;
}

/** R9. A model that is not cold. */
export interface Placement {
  readonly group: string;
  /** `warming`: its workers are being made ready, calls still go to its shard. `draining`: calls are led away. */
  readonly stage: 'warming' | 'hot' | 'draining';
  readonly sinceMs: number;
  /** The minute in which its calls were led to the slot. */
  readonly hotMinute?: number;
  /** Draining only: when routes were first seen without it. */
  readonly routedAwayAtMs?: number;
  /** Whether it has its slot for itself. */
  readonly isDedicated: boolean;
}

/** A model that may not come into a slot for a while. */
export interface Barred {
  readonly untilMs: number;
  readonly why: string;
}

/** All that the scaler remembers between ticks; written as one item, on condition of its epoch. */
export interface ScalerState {
  readonly epoch: number;
  /** Names what is deployed; when it changes, versions are looked at again. */
  readonly deployment?: string;
  readonly deployedAtMs?: number;
  readonly account?: Account & { readonly readAtMs: number };
  readonly groups: ReadonlyMap<string, GroupRecord>;
  readonly models: ReadonlyMap<string, Placement>;
  readonly barred: ReadonlyMap<string, Barred>;
  /** Cold shards in use; absent: all. */
  readonly activeShards?: number;
  readonly shardsChangedAtMs?: number;
}

export const EMPTY_STATE: ScalerState = {
  epoch: 0,
  groups: new Map(),
  models: new Map(),
  barred: new Map(),
};

export const NEW_GROUP: GroupRecord = { allocations: [], wanted: 0, failures: 0, leaving: [] };

export const groupOf = (state: ScalerState, name: string): GroupRecord => state.groups.get(name) ?? NEW_GROUP;

export const withGroup = (
  state: ScalerState,
  name: string,
  change: { readonly [Key in keyof GroupRecord]?: GroupRecord[Key] | undefined },
): ScalerState => ({
  ...state,
  groups: new Map(state.groups).set(name, withoutUndefined({ ...groupOf(state, name), ...change })),
});

/** In the place of what was remembered; nothing of that stays. */
export const replaceGroup = (state: ScalerState, name: string, record: GroupRecord): ScalerState => ({
  ...state,
  groups: new Map(state.groups).set(name, record),
});

export const withModel = (
  state: ScalerState,
  name: string,
  placement: Placement | undefined,
): ScalerState => {
  const models = new Map(state.models);
  if (placement === undefined) models.delete(name);
  else models.set(name, placement);
  return { ...state, models };
};

/** The models of a slot, in order of their names; those that are leaving as well. */
export const modelsOf = (state: ScalerState, group: string): readonly (readonly [string, Placement])[] =>
  [...state.models]
    .filter(([, placement]) => placement.group === group)
    .sort(([left], [right]) => (left < right ? -1 : 1));

const withoutUndefined = (record: { [Key in keyof GroupRecord]?: GroupRecord[Key] | undefined }) =>
  Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== undefined),
  ) as unknown as GroupRecord;
