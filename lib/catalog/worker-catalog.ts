import type { Loads } from '../models/loads.ts';
import type { WorkerBounds } from '../models/worker-bounds.ts';
import type { PreloadReport } from './catalog.ts';

/** Port. The part of the catalog that workers read and write. */
export interface WorkerCatalog extends Loads {
  /** The models that workers of a group load before their first call, the most valuable first. */
  readPreloads(group: string): Promise<readonly string[]>;
  /** @param version of the function, as preload is about what that version can open */
  reportPreloads(group: string, version: string, reports: readonly PreloadReport[]): Promise<void>;
  /** Notes the workers that an artifact asks for, as far as they are granted. */
  noteBounds(model: string, bounds: WorkerBounds): Promise<void>;
}
