import { Logger } from '@aws-lambda-powertools/logger';
import { dynamodbWorkerCatalog } from '../../lib/aws/dynamodb-worker-catalog.ts';
import { s3Stores } from '../../lib/aws/s3-model-store.ts';
import { workerMetrics } from '../../lib/aws/worker-metrics.ts';
import { createEngineRegistry, warmUp } from '../../lib/engines/registry.ts';
import { DiskCache } from '../../lib/models/disk-cache.ts';
import { nativeBytes } from '../../lib/models/memory-forecast.ts';
import { createModels } from '../../lib/models/models.ts';
import { parseInferenceConfig } from './config.ts';
import { createInference } from './inference.ts';
import { createLoadedNotes } from './loaded-notes.ts';
import { prepare } from './prepare.ts';

const config = parseInferenceConfig(process.env);
const logger = new Logger({ serviceName: config.group });
const now = Date.now;
const timer = (): number => performance.now();
const onFault = (error: unknown, model?: string): void =>
  logger.warn('failed, and no call had to bear it', { model, error });
const catalog = dynamodbWorkerCatalog(process.env, config.tableName);
const metrics = workerMetrics({ ...config, now, loadedModels: () => models.usage().models });

const models = createModels({
  ...config,
  ...s3Stores(process.env, config),
  loads: catalog,
  disk: new DiskCache({ root: config.diskRoot, maxBytes: config.diskBytes, onError: onFault }),
  engine: createEngineRegistry({ ...config, now }),
  limits: { maxUnpackedBytes: config.diskBytes, maxEntries: 1000 },
  metrics,
  now,
  timer,
  nativeBytes: () => nativeBytes(process.memoryUsage()),
  onLoaded: createLoadedNotes({ ...config, catalog, log: (note) => logger.warn('serving.properties', note) }),
  onFault,
});

export const handler = createInference({
  models,
  metrics,
  worker: config.worker,
  timer,
  onFault: (error, model) => logger.error('call failed', { model, error }),
});

// Lambda calls a provisioned environment ready when the module has loaded, this line included.
await prepare({ ...config, models, catalog, loadRuntime: warmUp, timer, onError: onFault });
