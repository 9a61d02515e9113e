import { readEnv } from '../../lib/env.ts';

export interface AsyncConfig {
  readonly tableName: string;
  readonly functionPrefix: string;
  readonly coldShards: number;
  readonly hotSlots: number;
  /** How long a batch is waited for. */
  readonly answerWithinMs: number;
}

/** @throws ConfigurationError naming the variable that is missing or out of bounds. */
export const parseAsyncConfig = (environment: NodeJS.ProcessEnv): AsyncConfig => {
  const env = readEnv(environment);
  return {
    tableName: env.text('TABLE_NAME'),
    functionPrefix: env.text('FUNCTION_PREFIX'),
    coldShards: env.integer('COLD_SHARDS', { min: 1, max: 100 }),
    hotSlots: env.integer('HOT_SLOTS', { min: 0, max: 100 }),
    // Longer than a worker may take (380 s).
    answerWithinMs: 1000 * env.integer('ANSWER_WITHIN_SECONDS', { min: 1, max: 900, fallback: 385 }),
  };
};
