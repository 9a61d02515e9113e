import { readEnv } from '../../lib/env.ts';

export interface InferenceConfig {
  readonly group: string;
  readonly bucket: string;
  readonly prefix: string;
  /** For open models. */
  readonly memoryBytes: number;
  /** For unpacked artifacts in /tmp. */
  readonly diskBytes: number;
  readonly metricsNamespace: string;
  readonly endpointName: string;
  /** True in an environment of provisioned concurrency, whose init phase is the time to get ready. */
  readonly startsAhead: boolean;
}

const MB = 1024 * 1024;

/** What Node, onnxruntime and the answer in hand need; the rest of the memory is for models. */
const RESERVED_MB = 250;
const SHARE_FOR_MODELS = 0.6;
const LEAST_MB = 64;

/** Lambda's /tmp has 512 MB unless more is paid for; part of it is for the artifact being unpacked. */
const DISK_MB = 384;

/** @throws Error naming the variable that is missing or out of bounds. */
export const parseInferenceConfig = (environment: NodeJS.ProcessEnv): InferenceConfig => {
  const env = readEnv(environment);
  const functionMb = env.integer('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', {
    min: 128,
    max: 10_240,
    fallback: 1769,
  });
  const defaultMb = Math.max(LEAST_MB, Math.floor(SHARE_FOR_MODELS * functionMb - RESERVED_MB));
  return {
    group: env.text('GROUP'),
    bucket: env.text('MODELS_BUCKET'),
    prefix: env.text('MODELS_PREFIX'),
    memoryBytes: MB * env.integer('MODEL_MEMORY_MB', { min: 1, max: 10_240, fallback: defaultMb }),
    diskBytes: MB * env.integer('MODEL_DISK_MB', { min: 1, max: 10_240, fallback: DISK_MB }),
    metricsNamespace: env.optionalText('METRICS_NAMESPACE', 'lambda-mme'),
    endpointName: env.text('ENDPOINT_NAME'),
    startsAhead:
      env.optionalText('AWS_LAMBDA_INITIALIZATION_TYPE', 'on-demand') === 'provisioned-concurrency',
  };
};
