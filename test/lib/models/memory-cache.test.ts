import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LoadedModel, ModelLease } from '../../../lib/engines/engine.ts';
import { MemoryCache, type Opened } from '../../../lib/models/memory-cache.ts';

interface Probe extends LoadedModel {
  closes: number;
}

const probe = (overrides: Partial<LoadedModel> = {}): Probe => ({
  closes: 0,
  inputs: [],
  outputs: [],
  sizeBytes: 0,
  needsFolder: false,
  run: async () => [],
  async [Symbol.asyncDispose]() {
    this.closes += 1;
  },
  ...overrides,
});

const opened = (model: LoadedModel, sizeBytes: number, overrides: Partial<Opened> = {}): Opened => ({
  model,
  sizeBytes,
  etag: '"1"',
  loadMs: 1,
  releaseFolder: () => undefined,
  ...overrides,
});

let evicted: string[];
let failures: unknown[];
const create = (maxBytes = 100): MemoryCache =>
  new MemoryCache({
    maxBytes,
    onEvict: (name) => evicted.push(name),
    onClose: (closed) => closed.catch((error: unknown) => failures.push(error)),
  });
const release = async (lease: ModelLease | undefined): Promise<void> => lease?.[Symbol.asyncDispose]();
const put = async (
  cache: MemoryCache,
  name: string,
  model: LoadedModel,
  sizeBytes: number,
): Promise<boolean> => {
  const fits = cache.makeRoom(sizeBytes);
  if (fits) await release(cache.add(name, opened(model, sizeBytes)));
  return fits;
};

beforeEach(() => {
  evicted = [];
  failures = [];
});

describe('MemoryCache', () => {
  it('has nothing at first', () => {
    expect(create().lease('a')).toBeUndefined();
    expect(create()).toMatchObject({ bytes: 0, count: 0, maxBytes: 100 });
  });

  it('keeps an open model after its lease', async () => {
    const cache = create();
    const model = probe();

    await put(cache, 'a', model, 10);

    expect(cache.lease('a')?.model).toBe(model);
    expect(cache).toMatchObject({ bytes: 10, count: 1 });
    expect(cache.etagOf('a')).toBe('"1"');
    expect(model.closes).toBe(0);
  });

  it('closes the model worth least when another needs the room', async () => {
    const cache = create(100);
    const [a, b] = [probe(), probe()];
    await put(cache, 'a', a, 50);
    await put(cache, 'b', b, 50);
    await release(cache.lease('a'));

    await put(cache, 'c', probe(), 50);

    expect([a.closes, b.closes]).toEqual([0, 1]);
    expect(evicted).toEqual(['b']);
  });

  it('never evicts a model in use', async () => {
    const cache = create(100);
    const model = probe();
    await put(cache, 'a', model, 100);
    const lease = cache.lease('a');

    expect(cache.makeRoom(1)).toBe(false);
    expect(model.closes).toBe(0);

    await release(lease);
    expect(cache.makeRoom(1)).toBe(true);
    expect(model.closes).toBe(1);
  });

  it('switches to a new version, and closes the old one when its last user is done', async () => {
    const cache = create(100);
    const [old, next] = [probe(), probe()];
    const first = cache.add('a', opened(old, 10));
    const second = cache.lease('a');

    await release(cache.add('a', opened(next, 20, { etag: '"2"' })));

    expect(cache.lease('a')?.model).toBe(next);
    expect(cache.etagOf('a')).toBe('"2"');
    expect(cache.bytes).toBe(20);
    await release(first);
    await release(first);
    expect(old.closes).toBe(0);
    await release(second);
    expect(old.closes).toBe(1);
    expect(evicted).toEqual([]);
  });

  it('releases the folder of a model when it is closed, not before', async () => {
    const cache = create();
    let releases = 0;
    const lease = cache.add('a', opened(probe(), 10, { releaseFolder: () => releases++ }));

    cache.drop('a');
    expect(releases).toBe(0);

    await release(lease);
    await Promise.resolve();
    await Promise.resolve();
    expect(releases).toBe(1);
  });

  it('lets go of models that hold their folders, but not of those that run', async () => {
    const cache = create();
    const idle = probe({ needsFolder: true });
    await put(cache, 'idle', idle, 10);
    cache.add('busy', opened(probe({ needsFolder: true }), 10));
    await put(cache, 'plain', probe(), 10);

    cache.dropThoseWithFolders();

    expect(idle.closes).toBe(1);
    expect(cache.count).toBe(2);
  });

  it('reports a model that cannot be closed, and goes on', async () => {
    const cache = create(10);
    await put(cache, 'a', probe({ [Symbol.asyncDispose]: () => Promise.reject(new Error('stuck')) }), 10);

    await put(cache, 'b', probe(), 10);
    await new Promise((resolve) => setImmediate(resolve));

    expect(failures).toEqual([new Error('stuck')]);
    expect(cache.lease('b')).toBeDefined();
  });

  it('is never above its bound, closes no model in use, and each other once', async () => {
    const step = fc.record({
      act: fc.constantFrom('open', 'open', 'release', 'drop'),
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      sizeBytes: fc.integer({ min: 1, max: 60 }),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const cache = create(100);
        const probes: Probe[] = [];
        const leases: ModelLease[] = [];
        for (const { act, name, sizeBytes } of steps) {
          if (act === 'release') await release(leases.shift());
          else if (act === 'drop') cache.drop(name);
          else {
            let lease = cache.lease(name);
            if (lease === undefined && cache.makeRoom(sizeBytes)) {
              const model = probe();
              probes.push(model);
              lease = cache.add(name, opened(model, sizeBytes));
            }
            if (lease !== undefined) leases.push(lease);
          }
          expect(cache.bytes).toBeLessThanOrEqual(100);
          expect(leases.every(({ model }) => (model as Probe).closes === 0)).toBe(true);
        }
        for (const lease of leases) await release(lease);

        expect(probes.every(({ closes }) => closes <= 1)).toBe(true);
        expect(probes.filter(({ closes }) => closes === 0).length).toBe(cache.count);
      }),
      { numRuns: 300 },
    );
  });
});
