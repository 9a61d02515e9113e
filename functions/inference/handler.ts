import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@aws-lambda-powertools/logger';
import { emfMetrics } from '../../lib/aws/emf-metrics.ts';
import { createS3Client, s3ModelStore } from '../../lib/aws/s3-model-store.ts';
import { engineRegistry } from '../../lib/engines/registry.ts';
import { DiskCache } from '../../lib/models/disk-cache.ts';
import { MemoryCache } from '../../lib/models/memory-cache.ts';
import { createModels } from '../../lib/models/models.ts';
import { parseInferenceConfig } from './config.ts';
import { createInference } from './inference.ts';
import { prepare } from './prepare.ts';

const config = parseInferenceConfig(process.env);
const logger = new Logger({ serviceName: config.group });
const onError = (error: unknown): void => logger.warn('a model was not closed or deleted', { error });

const metrics = emfMetrics({
  namespace: config.metricsNamespace,
  dimensions: { EndpointName: config.endpointName, Group: config.group },
  flushEveryMs: 10_000,
  now: Date.now,
});

export const handler = createInference({
  models: createModels({
    store: s3ModelStore({ client: createS3Client(), bucket: config.bucket, prefix: config.prefix }),
    disk: new DiskCache({ root: join(tmpdir(), 'lambda-mme-models'), maxBytes: config.diskBytes, onError }),
    memory: new MemoryCache({ maxBytes: config.memoryBytes, onError }),
    engine: engineRegistry,
    limits: { maxUnpackedBytes: config.diskBytes, maxEntries: 1000 },
    metrics,
    now: () => performance.now(),
  }),
  metrics,
  onFault: (error, model) => logger.error('call failed', { model, error }),
});

// Lambda calls a provisioned environment ready when the module has loaded, this line included.
await prepare(config.startsAhead);
