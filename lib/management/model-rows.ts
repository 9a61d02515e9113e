import type { ModelRow } from '../catalog/model-row.ts';

/** What the owner of an endpoint says of a model. `null` takes back what was said. */
export interface Settings {
  readonly minWorkers?: number | null | undefined;
  readonly maxWorkers?: number | null | undefined;
  readonly maxIdleSeconds?: number | null | undefined;
  readonly pinned?: boolean | null | undefined;
  readonly isolated?: boolean | null | undefined;
}

/** Port. The models' rows, for whoever manages them. A model needs none. */
export interface ModelRows {
  read(models: readonly string[]): Promise<readonly ModelRow[]>;
  /** Changes what is named, and leaves the rest. @returns the row as it is then */
  change(model: string, settings: Settings): Promise<ModelRow>;
  remove(model: string): Promise<void>;
}
