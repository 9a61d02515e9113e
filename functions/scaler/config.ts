import { deployedGroups } from '../../lib/catalog/deployed-groups.ts';
import { readEnv } from '../../lib/env.ts';
import type { MetricNames } from '../../lib/scaling/observe.ts';
import type { Policy } from '../../lib/scaling/policy.ts';
import { PRICES } from '../../lib/scaling/prices.ts';
import { TICK_SECONDS } from '../../lib/tick-seconds.ts';

export interface ScalerConfig {
  readonly tableName: string;
  readonly policy: Policy;
  readonly metricNames: MetricNames;
  readonly deployment: string;
  /** Names this scaler: its log stream, which Lambda makes unique. */
  readonly owner: string;
}

const MB = 1024 * 1024;
const MILLION = 1_000_000;

/** @throws ConfigurationError naming the variable that is missing or out of bounds. */
export const parseScalerConfig = (environment: NodeJS.ProcessEnv): ScalerConfig => {
  const env = readEnv(environment);
  const functionPrefix = env.text('FUNCTION_PREFIX');
  const memoryMb = env.integer('INFERENCE_MEMORY_MB', { min: 128, max: 10_240 });
  const groups = deployedGroups({
    functionPrefix,
    coldShards: env.integer('COLD_SHARDS', { min: 1, max: 100 }),
    hotSlots: env.integer('HOT_SLOTS', { min: 0, max: 100 }),
  });
  return {
    tableName: env.text('TABLE_NAME'),
    deployment: env.optionalText('DEPLOYMENT', 'unknown'),
    owner: env.optionalText('AWS_LAMBDA_LOG_STREAM_NAME', 'local'),
    metricNames: {
      namespace: env.optionalText('METRICS_NAMESPACE', 'lambda-mme'),
      endpointName: env.text('ENDPOINT_NAME'),
      routerFunction: `${functionPrefix}router`,
      scalerFunction: env.text('AWS_LAMBDA_FUNCTION_NAME'),
    },
    policy: {
      prices: PRICES[env.oneOf('ARCHITECTURE', ['x86_64', 'arm64'], 'x86_64')],
      memoryGb: memoryMb / 1024,
      slowAnswerDollars: env.integer('SLOW_ANSWER_DOLLARS', { min: 0, max: MILLION }) / MILLION,
      minuteMs: 1000 * Number(env.oneOf('TICK_SECONDS', TICK_SECONDS, '60')),
      // What a worker keeps for models, as functions/inference/config.ts has it.
      roomBytes: Math.max(64, 0.6 * memoryMb - 250) * MB,
      workerBudget: env.integer('WORKER_BUDGET', { min: 0, max: 100_000 }),
      coldGroups: groups.cold,
      hotGroups: groups.hot,
      functionPrefix,
      // Two lifetimes of a router's routes and the longest door (a function URL's 60 s).
      drainMs: 1000 * env.integer('DRAIN_SECONDS', { min: 0, max: 900, fallback: 70 }),
      lazyLoadMs: env.integer('LAZY_LOAD_MS', { min: 0, max: 60_000, fallback: 250 }),
    },
  };
};
