import type { ArchiveLimits } from '../archive/entry-policy.ts';
import { ServingError } from '../errors.ts';
import type { DiskCache, Folder } from './disk-cache.ts';
import type { ModelObject } from './model-store.ts';
import { NO_PROPERTIES, readServingProperties, type ServingProperties } from './serving-properties.ts';
import type { WeightsOptions } from './weights.ts';

export interface FetchFolderOptions {
  readonly disk: DiskCache;
  readonly limits: ArchiveLimits;
  readonly weights: Omit<WeightsOptions, 'limits' | 'addBytes'>;
  /** In milliseconds, for durations only. */
  readonly timer: () => number;
}

/** Told of bytes beside the object's own that are to be loaded; may end the load. */
export type AddBytes = (bytes: number) => Promise<void>;

export interface Fetched {
  readonly folder: Folder;
  readonly properties: ServingProperties;
}

/** Weights hardly compress, labels and vocabularies do: what an artifact may take on disk, by its size in the store. */
const UNPACKED_PER_PACKED = 2;

/**
 * Unpacks an object of the store, and the weights that it points to, into a folder of its own.
 * @throws ServingError ModelError for a damaged, hostile or too large artifact; what the stores throw.
 */
export const createFetchFolder =
  ({ disk, limits, weights, timer }: FetchFolderOptions) =>
  async (name: string, object: ModelObject, addBytes: AddBytes): Promise<Fetched> => {
    const startedMs = timer();
    const directory = await reserve(disk, object);
    const { extractArtifact } = await import('../archive/extract.ts');
    let properties = NO_PROPERTIES;
    const sizeBytes = await extractArtifact({
      name,
      source: object.body,
      directory,
      limits,
      complete: async (unfinished) => {
        properties = await readServingProperties(unfinished);
        if (properties.modelId === undefined) return 0;
        const { fetchWeights } = await import('./weights.ts');
        return fetchWeights(properties.modelId, unfinished, { ...weights, limits, addBytes });
      },
    }).catch(async (error: unknown) => {
      // It took more than was forecast: the next try finds all the room that there is.
      if (isDiskFull(error)) await disk.makeRoom(disk.largestBytes);
      throw error;
    });
    return { folder: { directory, sizeBytes, etag: object.etag, fetchMs: timer() - startedMs }, properties };
  };

const reserve = async (disk: DiskCache, object: ModelObject): Promise<string> => {
  const directory = await disk.reserve();
  const wantedBytes = Math.min(disk.largestBytes, UNPACKED_PER_PACKED * object.sizeBytes);
  if (await disk.makeRoom(wantedBytes)) return directory;
  object.discard();
  throw new ServingError(
    'ServiceUnavailable',
    'the disk of this worker is taken by models that are running; try again',
    {
      retryAfterSeconds: 1,
    },
  );
};

const isDiskFull = (error: unknown): boolean =>
  error instanceof ServingError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC';
