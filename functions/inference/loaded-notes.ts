import type { WorkerCatalog } from '../../lib/catalog/worker-catalog.ts';
import type { ServingProperties } from '../../lib/models/serving-properties.ts';
import { grantWorkers } from '../../lib/models/worker-bounds.ts';

export interface LoadedNotesOptions {
  readonly catalog: Pick<WorkerCatalog, 'noteBounds'>;
  /** Workers that the deployment lets an artifact ask for. */
  readonly artifactWorkers: number;
  /** In a slot, an artifact that no longer asks for workers says so. */
  readonly startsAhead: boolean;
  readonly log: (note: { model: string; notes: string[] }) => void;
}

/**
 * What there is to say when an artifact has been fetched: once per fetch, what of its serving.properties means nothing
 * here; and the workers that it asks for, where the deployment lets it.
 */
export const createLoadedNotes =
  ({ catalog, artifactWorkers, startsAhead, log }: LoadedNotesOptions) =>
  async (model: string, properties: ServingProperties): Promise<void> => {
    const bounds = grantWorkers(properties, { most: artifactWorkers });
    const notes = [...properties.notes, ...(bounds.note === undefined ? [] : [bounds.note])];
    if (notes.length > 0) log({ model, notes });
    if (bounds.minWorkers > 0 || startsAhead) await catalog.noteBounds(model, bounds);
  };
