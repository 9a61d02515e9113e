import type { Engine, LoadedModel, ModelLease } from '../engines/engine.ts';
import { ServingError } from '../errors.ts';
import type { MemoryCache } from './memory-cache.ts';
import { MemoryForecast } from './memory-forecast.ts';
import type { ServingProperties } from './serving-properties.ts';

export interface OpenFolderOptions {
  readonly engine: Engine;
  readonly memory: MemoryCache;
  /** What the process takes of memory outside JavaScript's heap, in bytes. */
  readonly nativeBytes: () => number;
  /** In milliseconds, for durations only. */
  readonly timer: () => number;
  readonly openModel: (waiting: string, name: string) => Promise<ModelLease>;
}

export interface OpenedFolder {
  readonly model: LoadedModel;
  readonly sizeBytes: number;
  readonly loadMs: number;
}

/** Opens unpacked artifacts by their engine, within the bound of memory. */
export const createOpenFolder = ({ engine, memory, nativeBytes, timer, openModel }: OpenFolderOptions) => {
  const forecast = new MemoryForecast();
  let running = 0;
  let started = 0;

  /** What the process grew by while `work` ran; unknown where anything else loaded meanwhile, or a runtime with it. */
  const measured = async <T>(
    work: () => Promise<T>,
  ): Promise<{ result: T; grownBytes: number | undefined }> => {
    const own = ++started;
    const isAlone = ++running === 1 && own > 1;
    const before = nativeBytes();
    try {
      const result = await work();
      return { result, grownBytes: isAlone && started === own ? nativeBytes() - before : undefined };
    } finally {
      running -= 1;
    }
  };

  /** @throws ServingError ModelError for a model that does not fit, or that its engine cannot open. */
  return async (
    name: string,
    { directory, sizeBytes: filesBytes }: { readonly directory: string; readonly sizeBytes: number },
    properties: ServingProperties,
  ): Promise<OpenedFolder> => {
    const requiredBytes = properties.requiredMemoryBytes ?? 0;
    // Looked at before too: what does not fit must not be tried, as the worker would die of it.
    refuseTooLarge(Math.max(filesBytes, requiredBytes), memory.maxBytes);
    makeRoom(memory, Math.min(memory.maxBytes, Math.max(forecast.forecast(filesBytes), requiredBytes)));

    const startedMs = timer();
    const { result: model, grownBytes } = await measured(() =>
      engine.load(directory, {
        properties: properties.all,
        filesBytes,
        openModel: (other) => openModel(name, other),
      }),
    );
    const loadMs = timer() - startedMs;
    const sizeBytes = Math.max(
      forecast.settle({ filesBytes, sizeBytes: model.sizeBytes, grownBytes }),
      requiredBytes,
    );
    try {
      refuseTooLarge(sizeBytes, memory.maxBytes);
      makeRoom(memory, sizeBytes);
      return { model, sizeBytes, loadMs };
    } catch (error) {
      await model[Symbol.asyncDispose]();
      throw error;
    }
  };
};

const refuseTooLarge = (sizeBytes: number, maxBytes: number): void => {
  if (sizeBytes <= maxBytes) return;
  throw new ServingError(
    'ModelError',
    `the model takes ${sizeBytes} bytes of memory, and a worker has ${maxBytes} for models: deploy with a larger inferenceMemory (serverless.yml)`,
  );
};

const makeRoom = (memory: MemoryCache, bytes: number): void => {
  if (memory.makeRoom(bytes)) return;
  throw new ServingError(
    'ServiceUnavailable',
    'the memory of this worker is taken by models that are running; try again',
    { retryAfterSeconds: 1 },
  );
};
