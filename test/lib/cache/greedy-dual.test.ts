import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { GreedyDualCache } from '../../../lib/cache/greedy-dual.ts';

interface Item {
  readonly id: number;
  readonly pinned: boolean;
}

let evicted: string[];
const create = (maxBytes = 100) =>
  new GreedyDualCache<Item>({
    maxBytes,
    isPinned: ({ pinned }) => pinned,
    onEvict: (name) => evicted.push(name),
  });

const put = (
  cache: GreedyDualCache<Item>,
  name: string,
  bytes: number,
  cost = 1,
  pinned = false,
): boolean => {
  const fits = cache.makeRoom(bytes);
  if (fits) cache.set(name, { id: 1, pinned }, { bytes, cost });
  return fits;
};

beforeEach(() => {
  evicted = [];
});

describe('GreedyDualCache', () => {
  it('lets the value go that was used least', () => {
    const cache = create();
    put(cache, 'a', 50);
    put(cache, 'b', 50);
    cache.get('a');

    put(cache, 'c', 50);

    expect(evicted).toEqual(['b']);
  });

  it('lets the larger of two go that were used alike', () => {
    const cache = create();
    put(cache, 'large', 60);
    put(cache, 'small', 30);

    put(cache, 'new', 40);

    expect(evicted).toEqual(['large']);
  });

  it('keeps what is costly to get again', () => {
    const cache = create();
    put(cache, 'costly', 50, 10);
    put(cache, 'cheap', 50, 1);

    put(cache, 'new', 50, 1);

    expect(evicted).toEqual(['cheap']);
  });

  it('forgets what was popular once', () => {
    const cache = create();
    put(cache, 'old', 50);
    for (let use = 0; use < 1000; use++) cache.get('old');

    for (let turn = 0; turn < 20; turn++) put(cache, `new-${turn}`, 50);

    expect(cache.peek('old')).toBeUndefined();
  });

  it('looks without counting a use', () => {
    const cache = create();
    put(cache, 'a', 50);
    put(cache, 'b', 50);
    cache.get('b');
    for (let look = 0; look < 5; look++) cache.peek('a');

    put(cache, 'c', 50);

    expect(evicted).toEqual(['a']);
  });

  it('never evicts what is in use, and says that there is no room', () => {
    const cache = create();
    put(cache, 'busy', 80, 1, true);
    put(cache, 'idle', 20);

    expect(cache.makeRoom(50)).toBe(false);

    expect(evicted).toEqual(['idle']);
    expect(cache.bytes).toBe(80);
  });

  it('evicts nothing for what is larger than the bound', () => {
    const cache = create();
    put(cache, 'a', 50);

    expect(cache.makeRoom(101)).toBe(false);

    expect(evicted).toEqual([]);
  });

  it('replaces a value without a word, and takes one out', () => {
    const cache = create();
    put(cache, 'a', 50);
    put(cache, 'a', 30);

    expect(cache.bytes).toBe(30);
    expect(cache.delete('a')).toEqual({ id: 1, pinned: false });
    expect(cache.delete('a')).toBeUndefined();
    expect(cache).toMatchObject({ bytes: 0, count: 0 });
    expect(evicted).toEqual([]);
  });

  it('holds the bound, and agrees with a naive model about what it holds', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      bytes: fc.integer({ min: 1, max: 60 }),
      cost: fc.integer({ min: 1, max: 100 }),
      pinned: fc.boolean(),
      kind: fc.constantFrom('put', 'put', 'get', 'delete'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const naive = new Map<string, { item: Item; bytes: number }>();
        const cache = new GreedyDualCache<Item>({
          maxBytes: 100,
          isPinned: ({ pinned }) => pinned,
          onEvict: (name, item) => {
            expect(item.pinned).toBe(false);
            expect(naive.get(name)?.item).toBe(item);
            naive.delete(name);
          },
        });
        for (const [id, { name, bytes, cost, pinned, kind }] of steps.entries()) {
          if (kind === 'get') expect(cache.get(name)).toBe(naive.get(name)?.item);
          else if (kind === 'delete') {
            cache.delete(name);
            naive.delete(name);
          } else {
            cache.delete(name);
            naive.delete(name);
            const fits = cache.makeRoom(bytes);
            const pinnedBytes = [...naive.values()].reduce(
              (sum, each) => sum + (each.item.pinned ? each.bytes : 0),
              0,
            );
            expect(fits).toBe(pinnedBytes + bytes <= 100);
            if (!fits) continue;
            const item = { id, pinned };
            cache.set(name, item, { bytes, cost });
            naive.set(name, { item, bytes });
          }
          expect(cache.bytes).toBe([...naive.values()].reduce((sum, each) => sum + each.bytes, 0));
          expect(cache.bytes).toBeLessThanOrEqual(100);
          expect(cache.count).toBe(naive.size);
        }
      }),
    );
  });
});
