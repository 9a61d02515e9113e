import type { Loads } from '../models/loads.ts';
import type { WorkerBounds } from '../models/worker-bounds.ts';
import type { PreloadReport } from './catalog.ts';
import type { ModelRow } from './model-row.ts';

/** Port. The part of the catalog that workers read and write. */
export interface WorkerCatalog extends Loads {
  /** The models that workers of a group load before their first call, the most valuable first. */
  readPreloads(group: string): Promise<readonly string[]>;
  /** @param version of the function, as preload is about what that version can open */
  reportPreloads(group: string, version: string, reports: readonly PreloadReport[]): Promise<void>;
  /** Notes the workers that an artifact asks for, as far as they are granted. */
  noteBounds(model: string, bounds: WorkerBounds): Promise<void>;
  /** Notes what was measured of a model that has a real share of a worker, and what its artifact says of idleness. */
  noteMeasured(
    model: string,
    measured: Pick<ModelRow, 'sizeBytes' | 'loadMs' | 'maxWorkers' | 'maxIdleSeconds'>,
  ): Promise<void>;
}
