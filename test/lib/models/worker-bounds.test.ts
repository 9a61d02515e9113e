import { describe, expect, it } from 'vitest';
import { grantWorkers } from '../../../lib/models/worker-bounds.ts';

describe('grantWorkers', () => {
  it('grants nothing where an artifact asks for nothing: absent is 0', () => {
    expect(grantWorkers({ minWorkers: undefined, maxWorkers: undefined }, { most: 5 })).toEqual({
      minWorkers: 0,
      maxWorkers: undefined,
    });
  });

  it('grants nothing unless the deployment allows it, and says why', () => {
    expect(grantWorkers({ minWorkers: 1, maxWorkers: 2 }, { most: 0 })).toEqual({
      minWorkers: 0,
      maxWorkers: 2,
      note: expect.stringMatching(/^minWorkers=1 keeps no worker warm: .*allowArtifactWorkers/),
    });
  });

  it('grants what is asked for up to the cap', () => {
    expect(grantWorkers({ minWorkers: 2, maxWorkers: undefined }, { most: 3 })).toEqual({
      minWorkers: 2,
      maxWorkers: undefined,
    });
    expect(grantWorkers({ minWorkers: 9, maxWorkers: undefined }, { most: 3 })).toMatchObject({
      minWorkers: 3,
      note: expect.stringContaining('more than the 3'),
    });
  });
});
