import type { ModelVersion } from './model-objects.ts';

/**
 * The version that a rollback brings back: the one before the current one, or, when the current one is itself of a rollback, the one
 * before that which it restored. So rolling back twice goes back two versions, not forth again. Pure.
 * @param versions newest first
 */
export const previousVersion = (
  versions: readonly ModelVersion[],
  restoredFrom: string | undefined,
): string | undefined => {
  const current =
    restoredFrom === undefined ? 0 : versions.findIndex(({ versionId }) => versionId === restoredFrom);
  // A deleted model has a marker as its newest version: what it was before is behind it.
  const older = versions.slice(Math.max(0, current) + 1);
  return older.find(({ isDeleted }) => !isDeleted)?.versionId;
};
