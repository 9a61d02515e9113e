import type { ModelRow } from '../catalog/model-row.ts';
import type { Decision } from './decision.ts';
import type { ScalerState } from './state.ts';

/** What a tick leaves for people: what is placed where, and why everything is as it is. */
export interface PlanRow {
  readonly atMs: number;
  readonly epoch: number;
  readonly groups: readonly PlannedGroup[];
  readonly models: readonly PlannedModel[];
  readonly activeShards: number;
  readonly deployedShards: number;
  readonly budget: number;
  readonly decisions: readonly Decision[];
}

export interface PlannedGroup {
  readonly group: string;
  readonly tier: 'cold' | 'hot';
  readonly version?: string;
  readonly workers: number;
  readonly ready: number;
  readonly wanted: number;
  readonly callsPerSecond: number;
  readonly erlangs: number;
  readonly dollarsPerHour: number;
}

export interface PlannedModel {
  readonly model: string;
  readonly stage: 'cold' | 'warming' | 'hot' | 'draining';
  readonly group: string;
  /** Workers it fills, in the settled minute. */
  readonly filled: number;
}

/** Port. What the scaler keeps between ticks, and what others tell it of models. */
export interface ScalerStore {
  /** @returns whether the lease is this owner's until then; false while somebody else has it */
  takeLease(owner: string, nowMs: number, untilMs: number): Promise<boolean>;
  readState(): Promise<ScalerState | undefined>;
  /** @returns false when it is no longer of the epoch that was read; nothing is written then */
  writeState(state: ScalerState, expectedEpoch: number): Promise<boolean>;
  readPlan(): Promise<PlanRow | undefined>;
  writePlan(plan: PlanRow): Promise<void>;
  /** Rows of those that have one, in any order. */
  readModels(models: readonly string[]): Promise<readonly ModelRow[]>;
  /** Rows of the models that are pinned or have workers promised to them: found by an index of them alone. */
  listWishes(): Promise<readonly ModelRow[]>;
}
