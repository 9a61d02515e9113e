import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createEngineRegistry } from '../lib/engines/registry.ts';
import { toServingError } from '../lib/errors.ts';
import { DiskCache } from '../lib/models/disk-cache.ts';
import { nativeBytes } from '../lib/models/memory-forecast.ts';
import { createModels } from '../lib/models/models.ts';
import { type DescribedTensor, describeTensors } from '../lib/protocol/description.ts';
import type { Output } from './output.ts';
import { Unable } from './unable.ts';

export interface Checked {
  readonly inputs?: readonly DescribedTensor[];
  readonly outputs?: readonly DescribedTensor[];
  readonly memoryBytes: number;
  readonly loadMs: number;
}

/** What a worker of 1,769 MB has for models and for their files (functions/inference/config.ts). */
const MEMORY_BYTES = 811 * 1024 * 1024;
const DISK_BYTES = 384 * 1024 * 1024;

/**
 * Opens an artifact with a worker's own code, bounds included.
 * @throws Unable with what the worker would answer
 */
export const checkArtifact = async (options: {
  readonly file: string;
  readonly model: string;
  readonly scratch: string;
  readonly allowCustomCode: boolean;
  readonly output: Output;
}): Promise<Checked> => {
  const { file, model, scratch, allowCustomCode, output } = options;
  output.progress('opening it as a worker would');
  const { size } = await stat(file);
  const nothing = (): void => undefined;
  const models = createModels({
    store: {
      get: async () => {
        const body = createReadStream(file);
        return { etag: 'local', sizeBytes: size, body, discard: () => void body.destroy() };
      },
      list: async () => ({ etags: new Map(), isLast: true }),
    },
    weights: { store: { list: async () => [] }, allowedPrefixes: [] },
    loads: { begin: async () => undefined, end: async () => undefined, find: async () => undefined },
    disk: new DiskCache({ root: join(scratch, 'models'), maxBytes: DISK_BYTES, onError: nothing }),
    memoryBytes: MEMORY_BYTES,
    engine: createEngineRegistry({ allowCustomCode, now: () => performance.now() }),
    limits: { maxUnpackedBytes: DISK_BYTES, maxEntries: 1000 },
    metrics: { count: nothing, sample: nothing, timeMicros: nothing, flushIfDue: nothing },
    refreshMs: 3_600_000,
    refusalMs: 0,
    slowLoadMs: 3_600_000,
    now: Date.now,
    timer: () => performance.now(),
    nativeBytes: () => nativeBytes(process.memoryUsage()),
    onLoaded: async (_, { notes }) => {
      for (const note of notes) process.stderr.write(`serving.properties: ${note}\n`);
    },
    onFault: nothing,
  });
  try {
    await using lease = await models.open(model);
    const { inputs, outputs } = lease.model;
    return {
      ...(inputs === undefined ? {} : { inputs: describeTensors(inputs) }),
      ...(outputs === undefined ? {} : { outputs: describeTensors(outputs) }),
      memoryBytes: models.describe(model)?.sizeBytes ?? 0,
      loadMs: Math.round(models.describe(model)?.loadMs ?? 0),
    };
  } catch (error) {
    const { message } = toServingError(error);
    throw new Unable(
      `a worker would refuse it, so it was not uploaded (--no-check uploads it all the same): ${message}`,
    );
  }
};
