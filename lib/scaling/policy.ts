import type { Costs } from './worth.ts';

/** What a deployment says about scaling. */
export interface Policy extends Costs {
  /** The scaler's unit of time: 60,000 on AWS, where metrics come by the minute; less only where there is no AWS. */
  readonly minuteMs: number;
  /** Memory of a worker that models may fill, in bytes. */
  readonly roomBytes: number;
  /** Provisioned workers, all groups together; the bill's bound. */
  readonly workerBudget: number;
  /** All that are deployed, in order; `cold-00` first. */
  readonly coldGroups: readonly string[];
  readonly hotGroups: readonly string[];
  /** What comes before a group's name in its function's. */
  readonly functionPrefix: string;
  /** How long calls may still arrive at a function after routes have changed: two lifetimes of routes and the longest door. */
  readonly drainMs: number;
  /** A READY slot takes a newcomer that its workers load on their first call, if that takes no longer. */
  readonly lazyLoadMs: number;
}
