import { AUTHENTICATION, type Authentication } from '../../lib/auth/open-authentication.ts';
import { readEnv } from '../../lib/env.ts';

export interface ManagementConfig {
  readonly endpointName: string;
  readonly tableName: string;
  readonly bucket: string;
  /** Of the models, ends with `/`. */
  readonly prefix: string;
  /** `s3://bucket/prefix/` that artifacts may be copied from. */
  readonly sourcePrefixes: readonly string[];
  readonly functionPrefix: string;
  readonly coldShards: number;
  readonly hotSlots: number;
  readonly answerWithinMs: number;
  readonly authentication: Authentication;
  /** Name of the SSM parameter that secrets are derived from. */
  readonly masterKeyParameter: string;
}

/** @throws ConfigurationError naming the variable that is missing or out of bounds. */
export const parseManagementConfig = (environment: NodeJS.ProcessEnv): ManagementConfig => {
  const env = readEnv(environment);
  return {
    endpointName: env.text('ENDPOINT_NAME'),
    tableName: env.text('TABLE_NAME'),
    bucket: env.text('MODELS_BUCKET'),
    prefix: env.text('MODELS_PREFIX'),
    sourcePrefixes: env.list('WEIGHTS_PREFIXES'),
    functionPrefix: env.text('FUNCTION_PREFIX'),
    coldShards: env.integer('COLD_SHARDS', { min: 1, max: 100 }),
    hotSlots: env.integer('HOT_SLOTS', { min: 0, max: 100 }),
    answerWithinMs: 1000 * env.integer('ANSWER_WITHIN_SECONDS', { min: 1, max: 900, fallback: 27 }),
    authentication: env.oneOf('AUTHENTICATION', AUTHENTICATION, 'keys'),
    masterKeyParameter: env.text('MASTER_KEY_PARAMETER'),
  };
};
