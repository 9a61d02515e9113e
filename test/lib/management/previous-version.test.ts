import { describe, expect, it } from 'vitest';
import { previousVersion } from '../../../lib/management/previous-version.ts';

const versions = (...ids: readonly string[]) =>
  ids.map((versionId) => ({ versionId, modifiedAtMs: 0, isDeleted: versionId.startsWith('marker') }));

describe('the version that a rollback brings back', () => {
  it.each([
    ['the one before', ['v2', 'v1'], undefined, 'v1'],
    ['none, of a model that has one', ['v1'], undefined, undefined],
    ['none, of a model that never was', [], undefined, undefined],
    ['the last one of a model that is deleted', ['marker', 'v2', 'v1'], undefined, 'v2'],
    ['not a marker', ['v3', 'marker', 'v1'], undefined, 'v1'],
    ['the one before the one restored', ['copy-of-v2', 'v3', 'v2', 'v1'], 'v2', 'v1'],
    ['none, when the first is restored', ['copy-of-v1', 'copy-of-v2', 'v3', 'v2', 'v1'], 'v1', undefined],
    ['the one before, when what was restored is gone', ['copy', 'v3'], 'v2', 'v3'],
  ])('is %s', (_, ids, restoredFrom, expected) => {
    expect(previousVersion(versions(...ids), restoredFrom)).toBe(expected);
  });
});
