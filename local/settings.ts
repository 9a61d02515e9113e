import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { ConfigurationError, readEnv } from '../lib/env.ts';
import { TICK_SECONDS } from '../lib/tick-seconds.ts';
import type { Settling } from './services/cloudwatch/settling.ts';

export interface Settings {
  readonly port: number;
  readonly directory: string;
  /** Copies of the diabetes model that a first start uploads. */
  readonly models: number;
  /** `aws`: AWS's quotas hold, e.g. no queue before a busy function. `off`: what a laptop's demo wants. */
  readonly limits: 'aws' | 'off';
  /** Environments a function may have; 0 lets `environmentsPerFunction` decide. */
  readonly maxEnvironments: number;
  readonly queueWaitMs: number;
  readonly idleMs: number;
  /** The scaler's minute. AWS's metrics come by the minute; with limits off it shrinks, so that a demo shows something. */
  readonly tickSeconds: number;
  /** How long provisioned concurrency takes to be there, beyond the start of its environments. */
  readonly allocationDelayMs: number;
  /** When CloudWatch shows what it has been told, after the end of the minute. */
  readonly settling: Settling;
  /** `name=value` for serverless.yml, as `serverless package --param` takes them. */
  readonly params: readonly string[];
}

/** "A minute or two of preparation" (Lambda developer guide); metrics settle one to three minutes late. */
const AWS_DELAYS = {
  allocationDelayMs: 90_000,
  settling: { minMs: 60_000, maxMs: 180_000, correctedShare: 0.05, correctedAfterMs: 60_000 },
};
const NO_DELAYS = {
  allocationDelayMs: 0,
  settling: { minMs: 0, maxMs: 0, correctedShare: 0, correctedAfterMs: 0 },
};

/** @throws Error naming the variable that is out of bounds. */
export const parseSettings = (environment: NodeJS.ProcessEnv): Settings => {
  const env = readEnv(environment);
  const limits = env.oneOf('LOCAL_LIMITS', ['aws', 'off'], 'off');
  return {
    port: env.integer('PORT', { min: 0, max: 65_535, fallback: 3000 }),
    directory: resolve(env.optionalText('LOCAL_DIR', '.local')),
    models: env.integer('MODELS', { min: 0, max: 1_000_000, fallback: 1000 }),
    limits,
    maxEnvironments: env.integer('LOCAL_MAX_ENVIRONMENTS', { min: 0, max: 1000, fallback: 0 }),
    queueWaitMs: 1000 * env.integer('LOCAL_QUEUE_SECONDS', { min: 0, max: 60, fallback: 5 }),
    idleMs: 1000 * env.integer('LOCAL_IDLE_SECONDS', { min: 1, max: 86_400, fallback: 600 }),
    tickSeconds: Number(env.oneOf('LOCAL_TICK_SECONDS', TICK_SECONDS, limits === 'aws' ? '60' : '5')),
    ...(limits === 'aws' ? AWS_DELAYS : NO_DELAYS),
    params: withLocalSizes(parseParams(env.optionalText('PARAMS', '')), limits),
  };
};

/**
 * Every worker is a process that is kept warm. On AWS it brings its core along; here they share those that there are: the twenty provisioned
 * workers of serverless.yml took half of the calls a second that two for each core leave, and four shards on two cores a fifth of what one
 * leaves (docs/performance.md).
 */
export const withLocalSizes = (
  params: readonly string[],
  limits: Settings['limits'],
  cores = availableParallelism(),
): readonly string[] => {
  if (limits === 'aws') return params;
  const sizes = {
    workerBudget: 2 * cores,
    // Each has two environments at least.
    coldShards: Math.min(4, Math.max(1, Math.floor(cores / 2))),
  };
  const unnamed = Object.entries(sizes).filter(
    ([name]) => !params.some((param) => param.startsWith(`${name}=`)),
  );
  return [...params, ...unnamed.map(([name, size]) => `${name}=${size}`)];
};

/** Between spaces, as values may have commas. */
const parseParams = (text: string): readonly string[] => {
  const params = text.split(/\s+/).filter((param) => param !== '');
  const wrong = params.find((param) => !/^\w+=./.test(param));
  if (wrong === undefined) return params;
  throw new ConfigurationError(
    `environment variable PARAMS should be name=value, more between spaces, but has ${JSON.stringify(wrong)}: the names are those under params in serverless.yml`,
  );
};

/** What one environment takes with a few hundred small models in it; measured in bench/README.md. */
const ENVIRONMENT_BYTES = 192 * 1024 * 1024;

/**
 * How many environments each function may have on this machine: one per core, as long as all of them together
 * fit half of the memory. At least two, or a slow call would block every other of its function.
 */
export const environmentsPerFunction = (
  functions: number,
  { cores = availableParallelism(), memoryBytes = totalmem() } = {},
): number => {
  const room = Math.floor(memoryBytes / 2 / ENVIRONMENT_BYTES / functions);
  return Math.max(2, Math.min(cores, room));
};
