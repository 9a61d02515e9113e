import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadedModel } from '../../../lib/engines/engine.ts';
import { type Lease, MemoryCache } from '../../../lib/models/memory-cache.ts';

interface Probe extends LoadedModel {
  closes: number;
}

const probe = (sizeBytes: number): Probe => ({
  closes: 0,
  inputs: [],
  outputs: [],
  sizeBytes,
  run: async () => [],
  async [Symbol.asyncDispose]() {
    this.closes += 1;
  },
});

const create = (maxBytes = 100): MemoryCache => new MemoryCache({ maxBytes, onError: () => undefined });
const release = async (lease: Lease | undefined): Promise<void> => lease?.[Symbol.asyncDispose]();

describe('MemoryCache', () => {
  it('has nothing at first', () => {
    expect(create().lease('a')).toBeUndefined();
    expect(create()).toMatchObject({ bytes: 0, count: 0, maxBytes: 100 });
  });

  it('keeps an open model after its lease', async () => {
    const cache = create();
    const model = probe(10);

    await release(cache.add('a', model));

    expect(cache.lease('a')?.model).toBe(model);
    expect(cache).toMatchObject({ bytes: 10, count: 1 });
    expect(model.closes).toBe(0);
  });

  it('closes the least recently used when another needs the room', async () => {
    const cache = create(100);
    const [a, b] = [probe(50), probe(50)];
    await release(cache.add('a', a));
    await release(cache.add('b', b));
    await release(cache.lease('a'));

    await release(cache.add('c', probe(50)));

    expect([a.closes, b.closes]).toEqual([0, 1]);
    expect(cache.lease('b')).toBeUndefined();
  });

  it('does not close a model in use before its last user is done', async () => {
    const cache = create(100);
    const model = probe(100);
    const first = cache.add('a', model);
    const second = cache.lease('a');

    await release(cache.add('b', probe(100)));
    await release(first);
    expect(model.closes).toBe(0);

    await release(second);
    expect(model.closes).toBe(1);
  });

  it('counts a lease that is released twice once', async () => {
    const cache = create(100);
    const model = probe(100);
    const first = cache.add('a', model);
    const second = cache.lease('a');
    await release(cache.add('b', probe(100)));

    await release(first);
    await release(first);
    expect(model.closes).toBe(0);

    await release(second);
    expect(model.closes).toBe(1);
  });

  it('reports a model that cannot be closed, and goes on', async () => {
    const errors: unknown[] = [];
    const cache = new MemoryCache({ maxBytes: 10, onError: (error) => errors.push(error) });
    const failing = { ...probe(10), [Symbol.asyncDispose]: () => Promise.reject(new Error('stuck')) };
    await release(cache.add('a', failing));

    await release(cache.add('b', probe(10)));
    await Promise.resolve();

    expect(errors).toEqual([new Error('stuck')]);
    expect(cache.lease('b')).toBeDefined();
  });

  it('behaves as a list ordered by use, is never above its bound, and closes each model once', async () => {
    const step = fc.record({
      act: fc.constantFrom('open', 'open', 'release'),
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      sizeBytes: fc.integer({ min: 1, max: 60 }),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const cache = create(100);
        const probes: Probe[] = [];
        const leases: { readonly name: string; readonly lease: Lease }[] = [];
        let naive: { readonly name: string; readonly sizeBytes: number }[] = [];

        for (const { act, name, sizeBytes } of steps) {
          if (act === 'release') {
            await release(leases.shift()?.lease);
            continue;
          }
          const known = naive.find((each) => each.name === name);
          let lease = cache.lease(name);
          expect(lease !== undefined).toBe(known !== undefined);
          if (lease === undefined) {
            const opened = probe(sizeBytes);
            probes.push(opened);
            lease = cache.add(name, opened);
          }
          leases.push({ name, lease });
          naive = [...naive.filter((each) => each !== known), known ?? { name, sizeBytes }];
          while (naive.reduce((sum, each) => sum + each.sizeBytes, 0) > 100) naive.shift();

          expect(cache.bytes).toBe(naive.reduce((sum, each) => sum + each.sizeBytes, 0));
          expect(cache.bytes).toBeLessThanOrEqual(100);
          expect(leases.every(({ lease: { model } }) => (model as Probe).closes === 0)).toBe(true);
        }
        for (const { lease } of leases) await release(lease);

        const kept = probes.filter(({ closes }) => closes === 0);
        expect(kept.length).toBe(naive.length);
        expect(probes.every(({ closes }) => closes <= 1)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
