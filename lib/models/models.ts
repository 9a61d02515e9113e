import type { ArchiveLimits } from '../archive/entry-policy.ts';
import { extractArtifact } from '../archive/extract.ts';
import { SingleFlight } from '../cache/single-flight.ts';
import type { Clock } from '../clock.ts';
import type { Engine, LoadedModel } from '../engines/engine.ts';
import { ServingError } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { DiskCache, Folder } from './disk-cache.ts';
import type { Lease, MemoryCache } from './memory-cache.ts';
import type { ModelStore } from './model-store.ts';

export interface ModelsOptions {
  readonly store: ModelStore;
  readonly disk: DiskCache;
  readonly memory: MemoryCache;
  readonly engine: Engine;
  readonly limits: ArchiveLimits;
  readonly metrics: Metrics;
  readonly now: Clock;
}

export interface Models {
  /**
   * Opens a model from where it is nearest: memory, disk, store. Calls that come together share one load; a load
   * that fails is not remembered.
   * @throws ServingError ValidationError for a model that is not in the store, ModelError for one that cannot be
   * served, and what the store throws.
   */
  open(name: string): Promise<Lease>;
}

/** The one place where the tiers meet. */
export const createModels = (options: ModelsOptions): Models => {
  const { store, disk, memory, engine, limits, metrics, now } = options;
  const flights = new SingleFlight<void>();

  const timed = async <T>(metric: string, work: () => Promise<T>): Promise<T> => {
    const startedMs = now();
    const result = await work();
    metrics.timeMicros(metric, 1000 * (now() - startedMs));
    return result;
  };

  const download = async (name: string): Promise<Folder> => {
    const directory = await disk.reserve();
    const object = await store.get(name);
    if (object === undefined) throw notFound(name);
    await disk.makeRoom(UNPACKED_PER_PACKED * object.sizeBytes);
    const sizeBytes = await extractArtifact({ name, source: object.body, directory, limits });
    return { directory, sizeBytes };
  };

  /** Sizes are looked at before too: what does not fit must not be tried, as the worker would die of it. */
  const loadFrom = async ({ directory, sizeBytes }: Folder): Promise<LoadedModel> => {
    if (sizeBytes > memory.maxBytes) throw tooLarge(sizeBytes, memory.maxBytes);
    const model = await timed('ModelLoadingTime', () => engine.load(directory));
    if (model.sizeBytes <= memory.maxBytes) return model;
    await model[Symbol.asyncDispose]();
    throw tooLarge(model.sizeBytes, memory.maxBytes);
  };

  const loadFromDisk = async (name: string): Promise<LoadedModel | undefined> => {
    const folder = disk.find(name);
    if (folder === undefined) return undefined;
    try {
      return await loadFrom(folder);
    } catch {
      // What is on disk was good once; if it no longer is, the store has the truth.
      disk.drop(name);
      return undefined;
    }
  };

  const loadFromStore = async (name: string): Promise<LoadedModel> => {
    const folder = await timed('ModelDownloadingTime', () => download(name));
    const model = await loadFrom(folder).catch((error: unknown) => {
      disk.discard(folder);
      throw error;
    });
    disk.keep(name, folder);
    return model;
  };

  const load = async (name: string): Promise<void> => {
    const model = (await loadFromDisk(name)) ?? (await loadFromStore(name));
    await memory.add(name, model)[Symbol.asyncDispose]();
  };

  return {
    async open(name) {
      let lease = memory.lease(name);
      metrics.count('ModelCacheHit', lease === undefined ? 0 : 1);
      for (let attempt = 0; lease === undefined && attempt < MAX_LOADS; attempt++) {
        await flights.run(name, () => load(name));
        lease = memory.lease(name);
      }
      if (lease === undefined) {
        throw new ServingError(
          'ServiceUnavailable',
          `model ${name} is evicted as soon as it is loaded; try again`,
        );
      }
      return lease;
    },
  };
};

/** A model may be evicted between its load and its use, when others load at the same time. */
const MAX_LOADS = 3;

/** Weights hardly compress, labels and vocabularies do: what an artifact may take on disk, by its size in the store. */
const UNPACKED_PER_PACKED = 2;

const tooLarge = (sizeBytes: number, maxBytes: number): ServingError =>
  new ServingError(
    'ModelError',
    `the model takes ${sizeBytes} bytes of memory, and a worker has ${maxBytes} for models: deploy with a larger inferenceMemory (serverless.yml)`,
  );

const notFound = (name: string): ServingError =>
  new ServingError(
    'ValidationError',
    `model ${JSON.stringify(name)} not found: TargetModel is the key of an object below the endpoint's models prefix; upload the artifact there, or mend the name`,
  );
