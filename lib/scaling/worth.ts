import { carriedBy, carriedCalls, type Load } from './erlang.ts';
import type { Prices } from './prices.ts';

/** What a call meets that no provisioned worker takes. */
export interface OnDemandPath {
  /** Start of environments that is billed per call, in seconds: init, and the load of the first call's model. */
  readonly startSeconds: number;
  /** Share of the calls that wait for one, from 0 to 1. */
  readonly slowShare: number;
}

export interface Costs {
  readonly prices: Prices;
  readonly memoryGb: number;
  /** What avoiding one slow answer is worth, in dollars; 0: nothing but the bill counts. */
  readonly slowAnswerDollars: number;
}

export interface WorkerBounds {
  readonly min: number;
  readonly max: number;
}

/** Nobody has measured that no answer is slow. */
const LEAST_SLOW_SHARE = 0.001;

/** R4. What a call saves, in dollars, when a provisioned worker takes it. */
export const savedPerCall = ({ callSeconds }: Load, path: OnDemandPath, costs: Costs): number => {
  const { prices, memoryGb, slowAnswerDollars } = costs;
  const onDemand = memoryGb * prices.onDemand * (callSeconds + path.startSeconds);
  const provisioned = memoryGb * prices.provisioned * callSeconds;
  return onDemand - provisioned + slowAnswerDollars * Math.max(path.slowShare, LEAST_SLOW_SHARE);
};

/** R4. What worker number `n` (from 1) is worth beyond its price, in dollars per second. */
export const worthOfWorker = (n: number, load: Load, path: OnDemandPath, costs: Costs): number =>
  (carriedBy(n, load) - carriedBy(n - 1, load)) * savedPerCall(load, path, costs) -
  costs.memoryGb * costs.prices.idle;

/** R4. The same for the first to the last of `count` workers. */
export const worthsOfWorkers = (
  count: number,
  load: Load,
  path: OnDemandPath,
  costs: Costs,
): readonly number[] => {
  const saved = savedPerCall(load, path, costs);
  const price = costs.memoryGb * costs.prices.idle;
  const worths: number[] = [];
  let before = 0;
  for (const carried of carriedCalls(load)) {
    if (worths.length > count) break;
    worths.push((carried - before) * saved - price);
    before = carried;
  }
  // The first entry is of none at all.
  return worths.slice(1);
};

/**
 * R4. The most workers of which each is worth its price, within bounds. As what they carry is concave in their number, the
 * first that is not is the end.
 */
export const chooseWorkers = (
  load: Load,
  path: OnDemandPath,
  costs: Costs,
  { min, max }: WorkerBounds,
): number => {
  const saved = savedPerCall(load, path, costs);
  const price = costs.memoryGb * costs.prices.idle;
  let workers = -1;
  let before = 0;
  for (const carried of carriedCalls(load)) {
    // Written so that what is not a number ends it as well.
    if (workers >= max || (workers >= 0 && !((carried - before) * saved > price))) break;
    before = carried;
    workers++;
  }
  return Math.max(Math.min(workers, max), Math.min(min, max));
};

/** The bill for a load with `workers` provisioned, in dollars per hour; what slow answers are worth is not in it. */
export const dollarsPerHour = (workers: number, load: Load, path: OnDemandPath, costs: Costs): number => {
  const { prices, memoryGb } = costs;
  const carried = carriedBy(workers, load);
  const onDemand = (load.callsPerSecond - carried) * prices.onDemand * (load.callSeconds + path.startSeconds);
  const provisioned = carried * prices.provisioned * load.callSeconds;
  return 3600 * memoryGb * (onDemand + provisioned + workers * prices.idle);
};
