import { describe, expect, it } from 'vitest';
import { planRoutes } from '../../../lib/scaling/plan-routes.ts';
import { routes } from '../../fakes/builders.ts';

describe('planRoutes', () => {
  it('starts with every deployed cold group and no hot model', () => {
    expect(planRoutes(undefined, ['cold-00', 'cold-01'])).toEqual({
      epoch: 1,
      coldGroups: ['cold-00', 'cold-01'],
      hot: new Map(),
    });
  });

  it('changes nothing while the deployment is the same', () => {
    expect(planRoutes(routes(), routes().coldGroups)).toBeUndefined();
  });

  it('follows a change of the number of shards and keeps hot models where they are', () => {
    const hot = new Map([['m.tar.gz', { functionName: 'mme-hot-00', qualifier: '2' }]]);

    expect(planRoutes(routes({ epoch: 4, hot }), ['cold-00'])).toEqual({
      epoch: 5,
      coldGroups: ['cold-00'],
      hot,
    });
  });
});
