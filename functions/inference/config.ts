import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnv } from '../../lib/env.ts';
import { TICK_SECONDS } from '../../lib/tick-seconds.ts';

export interface InferenceConfig {
  readonly group: string;
  /** Of the function, as Lambda numbers them. */
  readonly version: string;
  /** Names the environment: the end of its log stream, which Lambda makes unique. */
  readonly worker: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly tableName: string;
  /** For open models. */
  readonly memoryBytes: number;
  /** For unpacked artifacts, in /tmp. */
  readonly diskRoot: string;
  readonly diskBytes: number;
  readonly metricsNamespace: string;
  readonly endpointName: string;
  /** True in an environment of provisioned concurrency, whose init phase is the time to get ready. */
  readonly startsAhead: boolean;
  readonly preloadMs: number;
  readonly refreshMs: number;
  readonly refusalMs: number;
  readonly slowLoadMs: number;
  /** The scaler's minute. */
  readonly tickMs: number;
  readonly flushEveryMs: number;
  readonly allowCustomCode: boolean;
  /** Workers that an artifact may ask for. */
  readonly artifactWorkers: number;
  /** `s3://bucket/prefix/` that `option.model_id` may point below. */
  readonly weightsPrefixes: readonly string[];
}

const MB = 1024 * 1024;

/** What Node, onnxruntime and the answer in hand need; the rest of the memory is for models. */
const RESERVED_MB = 250;
const SHARE_FOR_MODELS = 0.6;
const LEAST_MB = 64;

/** Lambda's /tmp has 512 MB unless more is paid for; part of it is for the artifact being unpacked. */
const DISK_MB = 384;

/** @throws ConfigurationError naming the variable that is missing or out of bounds. */
export const parseInferenceConfig = (environment: NodeJS.ProcessEnv): InferenceConfig => {
  const env = readEnv(environment);
  const seconds = (name: string, max: number, fallback: number): number =>
    1000 * env.integer(name, { min: 0, max, fallback });
  const functionMb = env.integer('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', {
    min: 128,
    max: 10_240,
    fallback: 1769,
  });
  const defaultMb = Math.max(LEAST_MB, Math.floor(SHARE_FOR_MODELS * functionMb - RESERVED_MB));
  const tickMs = 1000 * Number(env.oneOf('TICK_SECONDS', TICK_SECONDS, '60'));
  return {
    group: env.text('GROUP'),
    version: env.optionalText('AWS_LAMBDA_FUNCTION_VERSION', '$LATEST'),
    worker: env.optionalText('AWS_LAMBDA_LOG_STREAM_NAME', 'local').slice(-8),
    bucket: env.text('MODELS_BUCKET'),
    prefix: env.text('MODELS_PREFIX'),
    tableName: env.text('TABLE_NAME'),
    memoryBytes: MB * env.integer('MODEL_MEMORY_MB', { min: 1, max: 10_240, fallback: defaultMb }),
    diskRoot: join(tmpdir(), 'lambda-mme-models'),
    diskBytes: MB * env.integer('MODEL_DISK_MB', { min: 1, max: 10_240, fallback: DISK_MB }),
    metricsNamespace: env.optionalText('METRICS_NAMESPACE', 'lambda-mme'),
    endpointName: env.text('ENDPOINT_NAME'),
    startsAhead:
      env.optionalText('AWS_LAMBDA_INITIALIZATION_TYPE', 'on-demand') === 'provisioned-concurrency',
    // An init of provisioned concurrency may take 15 minutes; a slot that takes that long is of no use.
    preloadMs: seconds('PRELOAD_SECONDS', 840, 300),
    refreshMs: seconds('REFRESH_SECONDS', 86_400, 60),
    refusalMs: seconds('REFUSAL_SECONDS', 3600, 10),
    slowLoadMs: seconds('SLOW_LOAD_SECONDS', 360, 5),
    tickMs,
    flushEveryMs: tickMs / 6,
    allowCustomCode: env.flag('ALLOW_CUSTOM_CODE', false),
    artifactWorkers: env.integer('ALLOW_ARTIFACT_WORKERS', { min: 0, max: 1000, fallback: 0 }),
    weightsPrefixes: env.list('WEIGHTS_PREFIXES'),
  };
};
