import type { ServingProperties } from './serving-properties.ts';

/** What a deployment lets artifacts ask for: whoever may upload a model must not thereby spend its money. */
export interface ArtifactWorkers {
  /** Workers that an artifact's minWorkers may keep warm; 0 unless the deployment says `allowArtifactWorkers`. */
  readonly most: number;
}

export interface WorkerBounds {
  readonly minWorkers: number;
  readonly maxWorkers: number | undefined;
  /** Why less was granted than asked. */
  readonly note?: string;
}

/**
 * The bounds that an artifact gets. Absent is 0: DJL's default of one worker for each of 1,000 models would be $18,657 a
 * month ($17.52 for a 2 GB worker on arm64 kept warm, more on x86).
 */
export const grantWorkers = (
  { minWorkers = 0, maxWorkers }: Pick<ServingProperties, 'minWorkers' | 'maxWorkers'>,
  { most }: ArtifactWorkers,
): WorkerBounds => {
  if (minWorkers <= most) return { minWorkers, maxWorkers };
  const note =
    most === 0
      ? `minWorkers=${minWorkers} keeps no worker warm: the deployment does not allow artifacts to (allowArtifactWorkers in serverless.yml)`
      : `minWorkers=${minWorkers} is more than the ${most} that the deployment allows an artifact (allowArtifactWorkers in serverless.yml): ${most} count`;
  return { minWorkers: most, maxWorkers, note };
};
