import { Logger } from '@aws-lambda-powertools/logger';
import { dynamodbWorkerCatalog } from '../../lib/aws/dynamodb-worker-catalog.ts';
import { s3Stores } from '../../lib/aws/s3-model-store.ts';
import { signedTable } from '../../lib/aws/signed-table.ts';
import { shareMetrics, workerMetrics } from '../../lib/aws/worker-metrics.ts';
import { warmUp } from '../../lib/engines/registry.ts';
import { createCallNotes } from './call-notes.ts';
import { parseInferenceConfig } from './config.ts';
import { createInference } from './inference.ts';
import { openModels } from './open-models.ts';
import { prepare } from './prepare.ts';

const config = parseInferenceConfig(process.env);
const logger = new Logger({ serviceName: config.group });
const now = Date.now;
const timer = (): number => performance.now();
const onError = (error: unknown, model?: string): void =>
  logger.warn('failed, and no call had to bear it', { model, error });
const catalog = dynamodbWorkerCatalog(signedTable(process.env, config.tableName));
const metrics = workerMetrics({ ...config, now, usage: () => models.usage() });
const parts = { ...config, catalog, metrics, now, timer, onError };

const stores = s3Stores(process.env, config);
const models = openModels({
  ...parts,
  ...stores,
  loads: catalog,
  log: (note) => logger.warn('serving.properties', note),
  onFault: onError,
});

export const handler = createInference({
  ...parts,
  models,
  jobObjects: stores.jobObjects,
  notes: createCallNotes({ ...parts, models, publishShare: shareMetrics(config), initMs: timer() }),
  onFault: (error, { model, inferenceId, requestId }) =>
    logger.error('call failed', { model, inferenceId, requestId, error }),
});

// Lambda calls a provisioned environment ready when the module has loaded, this line included.
await prepare({ ...parts, models, loadRuntime: warmUp });
