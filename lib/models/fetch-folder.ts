import type { ArchiveLimits } from '../archive/entry-policy.ts';
import { ServingError } from '../errors.ts';
import type { DiskCache, Folder } from './disk-cache.ts';
import type { ModelObject } from './model-store.ts';
import { readServingProperties } from './serving-properties.ts';
import type { WeightsOptions } from './weights.ts';

export interface FetchFolderOptions {
  readonly disk: DiskCache;
  readonly limits: ArchiveLimits;
  readonly weights: Omit<WeightsOptions, 'limits'>;
  /** In milliseconds, for durations only. */
  readonly timer: () => number;
}

/** Weights hardly compress, labels and vocabularies do: what an artifact may take on disk, by its size in the store. */
const UNPACKED_PER_PACKED = 2;

/**
 * Unpacks an object of the store, and the weights that it points to, into a folder of its own.
 * @throws ServingError ModelError for a damaged, hostile or too large artifact; what the stores throw.
 */
export const createFetchFolder =
  ({ disk, limits, weights, timer }: FetchFolderOptions) =>
  async (name: string, object: ModelObject): Promise<Folder> => {
    const startedMs = timer();
    const directory = await reserve(disk, object);
    const { extractArtifact } = await import('../archive/extract.ts');
    const sizeBytes = await extractArtifact({
      name,
      source: object.body,
      directory,
      limits,
      complete: async (unfinished) => {
        const { modelId } = await readServingProperties(unfinished);
        if (modelId === undefined) return 0;
        const { fetchWeights } = await import('./weights.ts');
        return fetchWeights(modelId, unfinished, { ...weights, limits });
      },
    });
    return { directory, sizeBytes, etag: object.etag, fetchMs: timer() - startedMs };
  };

const reserve = async (disk: DiskCache, object: ModelObject): Promise<string> => {
  const directory = await disk.reserve();
  const wantedBytes = Math.min(disk.maxBytes, UNPACKED_PER_PACKED * object.sizeBytes);
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
