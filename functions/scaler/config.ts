import { readEnv } from '../../lib/env.ts';

export interface ScalerConfig {
  readonly tableName: string;
  readonly functionPrefix: string;
  readonly coldShards: number;
  readonly hotSlots: number;
}

/** @throws Error naming the variable that is missing or out of bounds. */
export const parseScalerConfig = (environment: NodeJS.ProcessEnv): ScalerConfig => {
  const env = readEnv(environment);
  return {
    tableName: env.text('TABLE_NAME'),
    functionPrefix: env.text('FUNCTION_PREFIX'),
    coldShards: env.integer('COLD_SHARDS', { min: 1, max: 100 }),
    hotSlots: env.integer('HOT_SLOTS', { min: 0, max: 100 }),
  };
};
