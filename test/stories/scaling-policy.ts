import type { Policy } from '../../lib/scaling/policy.ts';
import { PRICES } from '../../lib/scaling/prices.ts';

/** What serverless.yml says unless told otherwise, with four shards and six slots. */
export const scalingPolicy = (overrides: Partial<Policy> = {}): Policy => ({
  prices: PRICES.x86_64,
  memoryGb: 1769 / 1024,
  slowAnswerDollars: 1e-4,
  minuteMs: 60_000,
  roomBytes: (0.6 * 1769 - 250) * 1024 * 1024,
  workerBudget: 100,
  coldGroups: ['cold-00', 'cold-01', 'cold-02', 'cold-03'],
  hotGroups: ['hot-00', 'hot-01', 'hot-02', 'hot-03', 'hot-04', 'hot-05'],
  functionPrefix: 'mme-',
  drainMs: 70_000,
  lazyLoadMs: 250,
  ...overrides,
});
