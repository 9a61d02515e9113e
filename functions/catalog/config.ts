import { readEnv } from '../../lib/env.ts';

export interface CatalogConfig {
  readonly tableName: string;
  readonly bucket: string;
  /** Of the models, ends with `/`. */
  readonly prefix: string;
}

/** @throws ConfigurationError naming the variable that is missing. */
export const parseCatalogConfig = (environment: NodeJS.ProcessEnv): CatalogConfig => {
  const env = readEnv(environment);
  return {
    tableName: env.text('TABLE_NAME'),
    bucket: env.text('MODELS_BUCKET'),
    prefix: env.text('MODELS_PREFIX'),
  };
};
