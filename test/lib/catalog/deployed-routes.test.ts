import { describe, expect, it } from 'vitest';
import { deployedGroups } from '../../../lib/catalog/deployed-groups.ts';
import { deployedRoutes, limitRoutes } from '../../../lib/catalog/deployed-routes.ts';
import type { Routes } from '../../../lib/catalog/routes.ts';

const groups = deployedGroups({ functionPrefix: 'mme-', coldShards: 2, hotSlots: 1 });
const slot = (name: string) => ({ functionName: `mme-${name}`, qualifier: '7' });
const routes = (coldGroups: readonly string[], hot: Readonly<Record<string, string>> = {}): Routes => ({
  epoch: 3,
  coldGroups,
  hot: new Map(Object.entries(hot).map(([model, name]) => [model, slot(name)])),
});

describe('routes of a deployment that has fewer groups than they name', () => {
  it('leave out shards that are gone', () => {
    expect(limitRoutes(routes(['cold-00', 'cold-01', 'cold-02']), groups).coldGroups).toEqual([
      'cold-00',
      'cold-01',
    ]);
  });

  it('have every shard when all that were active are gone', () => {
    expect(limitRoutes(routes(['cold-05']), groups).coldGroups).toEqual(['cold-00', 'cold-01']);
  });

  it('lead models of a slot that is gone to their shards', () => {
    const limited = limitRoutes(routes(['cold-00'], { 'a.tar.gz': 'hot-00', 'b.tar.gz': 'hot-01' }), groups);
    expect([...limited.hot]).toEqual([['a.tar.gz', slot('hot-00')]]);
  });

  it('are otherwise what was read', async () => {
    const whole = { ...routes(['cold-01'], { 'a.tar.gz': 'hot-00' }), fences: new Map() };
    expect(limitRoutes(whole, groups)).toEqual(whole);
    expect(await deployedRoutes({ readRoutes: async () => whole }, groups).readRoutes()).toEqual(whole);
    expect(await deployedRoutes({ readRoutes: async () => undefined }, groups).readRoutes()).toBeUndefined();
  });
});
