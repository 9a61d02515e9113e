import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { tensorsOf } from '../../../lib/engines/engine.ts';
import { ServingError } from '../../../lib/errors.ts';
import type { ModelsOptions } from '../../../lib/models/models.ts';
import { fakeEngine, fakeModel } from '../../fakes/fake-engine.ts';
import { type ModelsHarness, modelsHarness } from '../../fixtures/models-harness.ts';
import { runContext } from '../../fixtures/run-context.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';
import { artifact, tarGz } from '../../fixtures/tar-archive.ts';

const scratch = scratchFolder();
let engine: ReturnType<typeof fakeEngine>;
let harness: ModelsHarness;

const create = (overrides: Partial<ModelsOptions> & { readonly diskBytes?: number } = {}): void => {
  harness = modelsHarness(scratch.path, engine, { memoryBytes: 300_000, ...overrides });
  for (const name of ['a', 'b', 'c']) putModel(name, name.charCodeAt(0));
};

/** Two of such models fit memory. */
const putModel = (name: string, bias: number): void =>
  harness.store.put(`${name}.tar.gz`, artifact(Buffer.from(fakeModel({ bias, sizeBytes: 140_000 }))));

beforeEach(() => {
  engine = fakeEngine();
  create();
});

const call = async (name: string): Promise<number> => {
  await using lease = await harness.models.open(name);
  const x = { name: 'x', type: 'float32' as const, shape: [1, 2], data: new Float32Array(2) };
  const [y] = tensorsOf(await lease.model.run([x], runContext()));
  return Number(y?.data[0]);
};

const foldersOnDisk = async (): Promise<number> => {
  await harness.disk.settle();
  return (await readdir(join(scratch.path, 'models'))).filter((name) => !name.endsWith('.json')).length;
};

describe('createModels', () => {
  it('fetches a model once, and answers from memory after that', async () => {
    expect(await call('a.tar.gz')).toBe(97);
    expect(await call('a.tar.gz')).toBe(97);

    expect(harness.store.reads).toEqual({ 'a.tar.gz': 1 });
    expect(engine.opened).toBe(1);
    expect(harness.metrics.values('ModelCacheHit')).toEqual([0, 1]);
  });

  it('asks about many open models at once, and a call waits for the answer', async () => {
    create({ memoryBytes: 100_000_000 });
    const names = Array.from({ length: 60 }, (_, index) => `many-${index}`);
    for (const name of names) putModel(name, 1);
    for (const name of names) await call(`${name}.tar.gz`);
    harness.nowMs += 60_000;
    const before = { ...harness.store.checks };
    const { list } = harness.store;
    let isAnswered = false;
    harness.store.list = async (after) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      isAnswered = true;
      return list.call(harness.store, after);
    };

    for (const name of names) {
      await call(`${name}.tar.gz`);
      await harness.models.settle();
      expect(isAnswered).toBe(harness.store.checks['many-25.tar.gz'] === 2);
    }

    const asked = names.filter((name) => harness.store.checks[`${name}.tar.gz`] !== before[`${name}.tar.gz`]);
    expect(asked).toEqual(names.slice(0, 26));
    expect(harness.store.lists).toEqual(['']);
  });

  it('takes what a frozen environment has waited for as old as the question', async () => {
    await call('a.tar.gz');
    harness.nowMs += 60_000;
    putModel('a', 1);
    const { get } = harness.store;
    harness.store.get = async (...args) => {
      const object = await get.apply(harness.store, args);
      harness.nowMs += 3_600_000;
      return object;
    };
    await call('a.tar.gz');
    await harness.models.settle();
    expect(harness.store.checks).toMatchObject({ 'a.tar.gz': 2 });

    expect(await call('a.tar.gz')).toBe(1);
    await harness.models.settle();

    expect(harness.store.checks).toMatchObject({ 'a.tar.gz': 3 });
  });

  it('measures waiting, downloading, loading and unloading in microseconds', async () => {
    for (const name of ['a', 'b', 'c']) await call(`${name}.tar.gz`);
    await new Promise((resolve) => setImmediate(resolve));

    for (const metric of ['ModelDownloadingTime', 'ModelLoadingTime']) {
      const values = harness.metrics.values(metric);
      expect(values).toHaveLength(3);
      expect(values.every((value) => value >= 1000 && value % 1000 === 0)).toBe(true);
    }
    expect(harness.metrics.values('ModelLoadingWaitTime')).toHaveLength(3);
    expect(harness.metrics.values('ModelUnloadingTime')).toHaveLength(1);
  });

  it('takes a model that memory had no room for from disk', async () => {
    for (const name of ['a', 'b', 'c', 'a']) await call(`${name}.tar.gz`);

    expect(harness.store.reads).toEqual({ 'a.tar.gz': 1, 'b.tar.gz': 1, 'c.tar.gz': 1 });
    expect(engine).toMatchObject({ opened: 4, closed: 2 });
    expect(harness.models.usage()).toMatchObject({ models: 2, memoryBytes: 280_000 });
    expect(await foldersOnDisk()).toBe(3);
  });

  it('counts loads of what had to make room: many of them are thrash', async () => {
    for (const name of ['a', 'b', 'c', 'a', 'b', 'c']) await call(`${name}.tar.gz`);

    expect(harness.metrics.sums()['ModelReloads']).toBeGreaterThanOrEqual(2);
    create();
    for (const name of ['a', 'b']) await call(`${name}.tar.gz`);
    expect(harness.metrics.sums()['ModelReloads']).toBe(0);
  });

  it('fetches a model again that neither memory nor disk had room for', async () => {
    create({ memoryBytes: 140_000, diskBytes: 20_000 });

    for (const name of ['a', 'b', 'a']) await call(`${name}.tar.gz`);

    expect(harness.store.reads).toEqual({ 'a.tar.gz': 2, 'b.tar.gz': 1 });
    expect(await foldersOnDisk()).toBe(1);
  });

  it('fetches a model once for all calls that come together', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('a.tar.gz')));

    expect(new Set(answers)).toEqual(new Set([97]));
    expect(harness.store.reads).toEqual({ 'a.tar.gz': 1 });
    expect(engine.opened).toBe(1);
  });

  it('serves as many models in turn as come, in the memory that there is', async () => {
    const names = Array.from({ length: 30 }, (_, index) => ['a', 'b', 'c'][index % 3] ?? 'a');

    for (const name of names) expect(await call(`${name}.tar.gz`)).toBe(name.charCodeAt(0));

    expect(harness.models.usage().memoryBytes).toBeLessThanOrEqual(300_000);
  });

  it('takes a model as large as the whole disk, and lets all others go for it', async () => {
    create({ memoryBytes: 2_000_000, diskBytes: 100_000 });
    await call('a.tar.gz');
    harness.store.put(
      'large.tar.gz',
      tarGz([
        { path: 'model.onnx', content: fakeModel({ bias: 1 }) },
        { path: 'labels', content: Buffer.alloc(80_000, 'some words') },
      ]),
    );
    harness.store.put('large.onnx', fakeModel({ bias: 2 }).padEnd(80_000));

    expect(await call('large.tar.gz')).toBe(1);
    expect(await call('large.onnx')).toBe(2);

    expect(await foldersOnDisk()).toBe(1);
  });

  it('takes a bare .onnx object', async () => {
    harness.store.put('plain.onnx', fakeModel({ bias: 5 }));

    expect(await call('plain.onnx')).toBe(5);
  });

  it('finds on disk what a process before it had fetched, and asks only whether it has changed', async () => {
    await call('a.tar.gz');
    create();

    expect(await call('a.tar.gz')).toBe(97);

    expect(harness.store.reads).toEqual({});
    expect(harness.store.checks).toEqual({ 'a.tar.gz': 1 });
  });

  it('tells of what it has fetched, once per fetch', async () => {
    const loaded: string[] = [];
    create({ onLoaded: async (name, { minWorkers }) => void loaded.push(`${name} ${minWorkers}`) });
    harness.store.put(
      'p.tar.gz',
      tarGz([
        { path: 'model.onnx', content: fakeModel() },
        { path: 'serving.properties', content: 'minWorkers=3' },
      ]),
    );

    await call('p.tar.gz');
    await call('p.tar.gz');

    expect(loaded).toEqual(['p.tar.gz 3']);
  });

  it('charges what serving.properties says a model needs', async () => {
    create({ memoryBytes: 5_000_000 });
    harness.store.put(
      'p.tar.gz',
      tarGz([
        { path: 'model.onnx', content: fakeModel() },
        { path: 'serving.properties', content: 'required_memory_mb=4' },
      ]),
    );

    await call('p.tar.gz');

    expect(harness.models.usage().memoryBytes).toBe(4 * 1024 * 1024);
  });

  it('charges what the process has grown by, where that is more than the files', async () => {
    let native = 0;
    const growing = {
      load: async (...args: Parameters<typeof engine.load>) => {
        native += 9_000_000;
        return engine.load(...args);
      },
    };
    harness = modelsHarness(scratch.path, growing, {
      memoryBytes: 50_000_000,
      diskBytes: 10_000_000,
      nativeBytes: () => native,
    });
    const large = tarGz([
      { path: 'model.onnx', content: fakeModel({ sizeBytes: 2_000_000 }) },
      { path: 'weights', content: Buffer.alloc(2_000_000, 'x1y2') },
    ]);
    for (const name of ['first', 'second']) harness.store.put(`${name}.tar.gz`, large);

    await call('first.tar.gz');
    await call('second.tar.gz');

    // With the first model of a process comes its runtime, which is not the model's doing.
    expect(harness.models.usage().memoryBytes).toBe(2_000_000 + 9_000_000);
  });
});

describe('a model that changes', () => {
  it('is answered by the version that is there, and by the new one from the next call on', async () => {
    await call('a.tar.gz');
    putModel('a', 7);
    expect(await call('a.tar.gz')).toBe(97);
    expect(harness.store.checks['a.tar.gz']).toBe(1);

    harness.nowMs += 60_000;
    expect(await call('a.tar.gz')).toBe(97);
    await harness.models.settle();

    expect(await call('a.tar.gz')).toBe(7);
    expect(engine).toMatchObject({ opened: 2, closed: 1 });
    expect(await foldersOnDisk()).toBe(1);
  });

  it('is asked about at most once in the time between', async () => {
    await call('a.tar.gz');
    harness.nowMs += 60_000;

    for (let turn = 0; turn < 5; turn++) await call('a.tar.gz');
    await harness.models.settle();

    expect(harness.store.checks['a.tar.gz']).toBe(2);
    expect(harness.store.reads['a.tar.gz']).toBe(1);
  });

  it('goes on serving its old version when the new one does not open, and says why', async () => {
    await call('a.tar.gz');
    harness.store.put('a.tar.gz', 'broken');

    for (let minute = 0; minute < 3; minute++) {
      harness.nowMs += 60_000;
      expect(await call('a.tar.gz')).toBe(97);
      await harness.models.settle();
    }

    expect(harness.faults[0]).toMatchObject({ name: 'a.tar.gz', error: { code: 'ModelError' } });
  });

  it('goes on serving its old version from disk too', async () => {
    await call('a.tar.gz');
    harness.store.put('a.tar.gz', 'broken');
    harness.nowMs += 60_000;
    await call('a.tar.gz');
    await harness.models.settle();
    for (const name of ['b', 'c', 'b', 'c']) await call(`${name}.tar.gz`);

    expect(await call('a.tar.gz')).toBe(97);

    harness.nowMs += 3_600_000;
    for (const name of ['b', 'c', 'b', 'c']) await call(`${name}.tar.gz`);
    expect(await call('a.tar.gz')).toBe(97);
  });

  it('is gone when its object is', async () => {
    await call('a.tar.gz');
    harness.store.remove('a.tar.gz');
    harness.nowMs += 60_000;
    expect(await call('a.tar.gz')).toBe(97);
    await harness.models.settle();

    await expect(call('a.tar.gz')).rejects.toMatchObject({ code: 'ValidationError' });

    expect(await foldersOnDisk()).toBe(0);
  });

  it('is served from memory and from disk while the store is away', async () => {
    for (const name of ['a', 'b', 'c']) await call(`${name}.tar.gz`);
    harness.store.failWith = new ServingError('InternalDependencyException', 'away');
    harness.nowMs += 60_000;

    for (const name of ['a', 'b', 'c']) expect(await call(`${name}.tar.gz`)).toBe(name.charCodeAt(0));
    await harness.models.settle();
  });
});

describe('a model that cannot be opened', () => {
  it('is an error of the caller where there is none, and is looked for again', async () => {
    await expect(call('new.tar.gz')).rejects.toMatchObject({
      code: 'ValidationError',
      message: expect.stringMatching(
        /^model "new.tar.gz" not found: .* below the endpoint's models prefix; upload/,
      ),
    });

    putModel('new', 1);
    expect(await call('new.tar.gz')).toBe(1);
  });

  it('fails all calls that wait for it, and is tried again by the next', async () => {
    const away = new ServingError('InternalDependencyException', 'the store is away');
    harness.store.failWith = away;

    const results = await Promise.allSettled([call('a.tar.gz'), call('a.tar.gz')]);

    expect(results.map((result) => result.status === 'rejected' && result.reason)).toEqual([away, away]);
    expect(harness.store.checks).toEqual({ 'a.tar.gz': 1 });
    harness.store.failWith = undefined;
    expect(await call('a.tar.gz')).toBe(97);
  });

  it.each<[string, Uint8Array]>([
    ['no archive', Buffer.from('junk')],
    ['a hostile archive', tarGz([{ path: '../evil', content: 'x' }])],
    ['an archive without a model', tarGz([{ path: 'readme', content: 'x' }])],
    [
      'a serving.properties that makes no sense',
      tarGz([
        { path: 'model.onnx', content: fakeModel() },
        { path: 'serving.properties', content: 'minWorkers=many' },
      ]),
    ],
  ])('leaves nothing behind: %s', async (_, bytes) => {
    harness.store.put('bad.tar.gz', bytes);

    await expect(call('bad.tar.gz')).rejects.toMatchObject({ code: 'ModelError' });

    expect(harness.models.usage().models).toBe(0);
    expect(await foldersOnDisk()).toBe(0);
    expect(await readdir(scratch.path)).toEqual(['models']);
  });

  it('is not fetched per call: its refusal is remembered, for a short time', async () => {
    harness.store.put('bad.tar.gz', 'junk');
    const tryIt = async (): Promise<void> =>
      expect(call('bad.tar.gz')).rejects.toMatchObject({ code: 'ModelError' });
    for (let turn = 0; turn < 3; turn++) await tryIt();
    expect(harness.store.checks['bad.tar.gz']).toBe(1);

    harness.nowMs += 10_000;
    for (let turn = 0; turn < 3; turn++) await tryIt();
    expect(harness.store.checks['bad.tar.gz']).toBe(2);
    expect(harness.store.reads['bad.tar.gz']).toBe(1);

    harness.nowMs += 60_000;
    await tryIt();
    expect(harness.store.reads['bad.tar.gz']).toBe(2);
  });

  it('is served as soon as it is seen to be mended', async () => {
    harness.store.put('bad.tar.gz', 'junk');
    await expect(call('bad.tar.gz')).rejects.toThrow();
    putModel('bad', 3);

    harness.nowMs += 10_000;

    expect(await call('bad.tar.gz')).toBe(3);
  });

  it('is refused with both numbers when memory cannot hold it, and is not kept open', async () => {
    harness.store.put('huge.onnx', fakeModel({ sizeBytes: 300_001 }));

    await expect(call('huge.onnx')).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringMatching(
        /takes 300001 bytes of memory, and a worker has 300000 .*inferenceMemory/,
      ),
    });

    expect(engine).toMatchObject({ opened: 1, closed: 1 });
  });

  it('is not even tried when its files alone are larger than memory', async () => {
    harness.store.put('huge.onnx', Buffer.alloc(300_001));

    await expect(call('huge.onnx')).rejects.toThrow('takes 300001 bytes of memory');

    expect(harness.metrics.values('ModelLoadingTime')).toEqual([]);
  });

  it('waits for room where the models in memory are all running', async () => {
    const [a, b] = [await harness.models.open('a.tar.gz'), await harness.models.open('b.tar.gz')];

    await expect(call('c.tar.gz')).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      retryAfterSeconds: 1,
    });

    for (const lease of [a, b]) await lease[Symbol.asyncDispose]();
    expect(await call('c.tar.gz')).toBe(99);
  });

  it('finds room at the next try, where it took more of the disk than was forecast', async () => {
    await call('a.tar.gz');
    const { get } = harness.store;
    harness.store.get = async (model, etag) => {
      const object = await get.call(harness.store, model, etag);
      if (object === undefined || object === 'unchanged') return object;
      return { ...object, body: failing(Object.assign(new Error('no space left'), { code: 'ENOSPC' })) };
    };

    await expect(call('b.tar.gz')).rejects.toMatchObject({ code: 'ServiceUnavailable' });

    expect(await foldersOnDisk()).toBe(0);
    harness.store.get = get;
    expect(await call('b.tar.gz')).toBe(98);
  });

  it('is fetched anew when its copy on disk has been damaged', async () => {
    for (const name of ['a', 'b', 'c']) await call(`${name}.tar.gz`);
    const lease = await harness.disk.lease('a.tar.gz');
    await writeFile(join(lease?.folder.directory ?? '', 'model.onnx'), 'damaged');
    lease?.release();

    expect(await call('a.tar.gz')).toBe(97);

    expect(harness.store.reads['a.tar.gz']).toBe(2);
  });

  it('is fetched anew when its copy on disk is gone', async () => {
    for (const name of ['a', 'b', 'c']) await call(`${name}.tar.gz`);
    await rm(join(scratch.path, 'models'), { recursive: true });

    expect(await call('a.tar.gz')).toBe(97);
  });
});

describe('a model that is slow to load', () => {
  const LARGE = 'large.onnx';
  beforeEach(() => {
    create({ slowLoadMs: 0 });
    harness.store.put(LARGE, fakeModel({ bias: 1 }));
  });

  it('is loaded by one worker, while the others say when to come back', async () => {
    await harness.catalog.begin({ model: LARGE, nowMs: harness.nowMs, expectedMs: 42_300 });

    await expect(call(LARGE)).rejects.toMatchObject({
      code: 'ModelNotReadyException',
      retryAfterSeconds: 43,
      message: expect.stringMatching(/being loaded by another worker; try again in 43 s/),
    });

    await harness.catalog.end({ model: LARGE, tookMs: 5 });
    expect(await call(LARGE)).toBe(1);
  });

  it('is no longer said to load when it has loaded, or failed to', async () => {
    await call(LARGE);
    expect(await harness.catalog.find(LARGE)).toEqual({ lastMs: 0 });

    harness.store.put('bad.onnx', 'junk');
    await expect(call('bad.onnx')).rejects.toThrow();
    expect(await harness.catalog.find('bad.onnx')).toBeUndefined();
  });

  it('is known to be slow by the weights that it points to, too', async () => {
    const weights = {
      path: 'model.onnx',
      sizeBytes: 1_000_000,
      read: () => Promise.reject(new Error('not to be read')),
    };
    create({
      slowLoadMs: 10,
      weights: { store: { list: async () => [weights] }, allowedPrefixes: ['s3://weights/'] },
    });
    const properties = { path: 'serving.properties', content: 'option.model_id=s3://weights/large/' };
    harness.store.put('pointer.tar.gz', tarGz([properties]));
    await harness.catalog.begin({ model: 'pointer.tar.gz', nowMs: harness.nowMs, expectedMs: 30_000 });

    await expect(call('pointer.tar.gz')).rejects.toMatchObject({
      code: 'ModelNotReadyException',
      retryAfterSeconds: 30,
    });
    expect(await foldersOnDisk()).toBe(0);
  });

  it('is loaded all the same where nobody can be asked', async () => {
    harness.catalog.begin = () => Promise.reject(new Error('no table'));
    harness.catalog.end = () => Promise.reject(new Error('no table'));

    expect(await call(LARGE)).toBe(1);
    expect(harness.faults.map(({ error }) => String(error))).toEqual(['Error: no table', 'Error: no table']);
  });
});

// biome-ignore lint/correctness/useYield: a body that fails at once
async function* failing(error: Error): AsyncGenerator<Uint8Array> {
  throw error;
}
