import { describe, expect, it } from 'vitest';
import { BoundedMap } from '../../../lib/cache/bounded-map.ts';

describe('BoundedMap', () => {
  it('finds what was set, until it is deleted', () => {
    const map = new BoundedMap<number>(2);
    map.set('a', 1);

    expect(map.get('a')).toBe(1);
    expect([map.delete('a'), map.delete('a')]).toEqual([true, false]);
    expect(map.get('a')).toBeUndefined();
  });

  it('lets the key go that was set longest ago', () => {
    const map = new BoundedMap<number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);

    map.set('c', 4);

    expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([3, undefined, 4, 2]);
  });
});
