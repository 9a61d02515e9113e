import { AUTHENTICATION, type Authentication } from '../../lib/auth/open-authentication.ts';
import { readEnv } from '../../lib/env.ts';
import { TICK_SECONDS } from '../../lib/tick-seconds.ts';

export interface RouterConfig {
  readonly endpointName: string;
  readonly tableName: string;
  /** Inputs and outputs of asynchronous calls are below `async/` of it. */
  readonly bucket: string;
  /** Of asynchronous calls. */
  readonly queueName: string;
  readonly functionPrefix: string;
  readonly coldShards: number;
  readonly hotSlots: number;
  readonly routesTtlMs: number;
  readonly answerWithinMs: number;
  readonly functionUrlAnswerMs: number;
  readonly authentication: Authentication;
  /** Name of the SSM parameter that secrets are derived from. */
  readonly masterKeyParameter: string;
  readonly metricsNamespace: string;
  readonly flushEveryMs: number;
}

/** @throws Error naming the variable that is missing or out of bounds. */
export const parseRouterConfig = (environment: NodeJS.ProcessEnv): RouterConfig => {
  const env = readEnv(environment);
  return {
    endpointName: env.text('ENDPOINT_NAME'),
    tableName: env.text('TABLE_NAME'),
    bucket: env.text('MODELS_BUCKET'),
    queueName: env.text('ASYNC_QUEUE_NAME'),
    functionPrefix: env.text('FUNCTION_PREFIX'),
    coldShards: env.integer('COLD_SHARDS', { min: 1, max: 100 }),
    hotSlots: env.integer('HOT_SLOTS', { min: 0, max: 100 }),
    authentication: env.oneOf('AUTHENTICATION', AUTHENTICATION, 'keys'),
    masterKeyParameter: env.text('MASTER_KEY_PARAMETER'),
    routesTtlMs: 1000 * env.integer('ROUTES_TTL_SECONDS', { min: 1, max: 300, fallback: 5 }),
    // An HTTP API gives up after 30 s (API Gateway quotas); the answer must leave before that.
    answerWithinMs: 1000 * env.integer('ANSWER_WITHIN_SECONDS', { min: 1, max: 900, fallback: 28 }),
    // SageMaker's own limit; the function has 65 s.
    functionUrlAnswerMs:
      1000 * env.integer('FUNCTION_URL_ANSWER_SECONDS', { min: 1, max: 900, fallback: 60 }),
    // A sixth of the scaler's minute.
    flushEveryMs: (1000 * Number(env.oneOf('TICK_SECONDS', TICK_SECONDS, '60'))) / 6,
    metricsNamespace: env.optionalText('METRICS_NAMESPACE', 'lambda-mme'),
  };
};
