import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ServingError } from '../../../lib/errors.ts';
import { DiskCache } from '../../../lib/models/disk-cache.ts';
import { MemoryCache } from '../../../lib/models/memory-cache.ts';
import { createModels, type Models } from '../../../lib/models/models.ts';
import { fakeEngine, fakeModel } from '../../fakes/fake-engine.ts';
import { type MemoryModelStore, memoryModelStore } from '../../fakes/memory-model-store.ts';
import { type RecordingMetrics, recordingMetrics } from '../../fakes/recording-metrics.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';
import { artifact, tarGz } from '../../fixtures/tar-archive.ts';

const scratch = scratchFolder();
let store: MemoryModelStore;
let engine: ReturnType<typeof fakeEngine>;
let memory: MemoryCache;
let disk: DiskCache;
let metrics: RecordingMetrics;
let nowMs: number;
let models: Models;

const create = ({ memoryBytes = 250, diskBytes = 10_000 } = {}): Models => {
  const onError = (error: unknown): void => {
    throw error;
  };
  memory = new MemoryCache({ maxBytes: memoryBytes, onError });
  disk = new DiskCache({ root: join(scratch.path, 'models'), maxBytes: diskBytes, onError });
  const limits = { maxUnpackedBytes: diskBytes, maxEntries: 10 };
  return createModels({ store, engine, memory, disk, limits, metrics, now: () => nowMs++ });
};

beforeEach(() => {
  store = memoryModelStore();
  engine = fakeEngine();
  metrics = recordingMetrics();
  nowMs = 0;
  for (const name of ['a', 'b', 'c']) {
    store.put(
      `${name}.tar.gz`,
      artifact(Buffer.from(fakeModel({ bias: name.charCodeAt(0), sizeBytes: 100 }))),
    );
  }
  models = create();
});

const call = async (name: string): Promise<number> => {
  await using lease = await models.open(name);
  const [y] = await lease.model.run([
    { name: 'x', type: 'float32', shape: [1, 2], data: new Float32Array(2) },
  ]);
  return Number(y?.data[0]);
};

const foldersOnDisk = async (): Promise<number> => {
  await disk.makeRoom(0);
  return (await readdir(join(scratch.path, 'models'))).length;
};

describe('createModels', () => {
  it('fetches a model once, and answers from memory after that', async () => {
    expect(await call('a.tar.gz')).toBe(97);
    expect(await call('a.tar.gz')).toBe(97);

    expect(store.reads).toEqual({ 'a.tar.gz': 1 });
    expect(engine.opened).toBe(1);
    expect(metrics.values('ModelCacheHit')).toEqual([0, 1]);
  });

  it('measures downloading and loading in microseconds, by its clock', async () => {
    await call('a.tar.gz');

    expect(metrics.values('ModelDownloadingTime')).toEqual([1000]);
    expect(metrics.values('ModelLoadingTime')).toEqual([1000]);
  });

  it('takes a model that memory had no room for from disk', async () => {
    for (const name of ['a', 'b', 'c', 'a']) await call(`${name}.tar.gz`);

    expect(store.reads).toEqual({ 'a.tar.gz': 1, 'b.tar.gz': 1, 'c.tar.gz': 1 });
    expect(engine).toMatchObject({ opened: 4, closed: 2 });
    expect(memory.bytes).toBe(200);
    expect(await foldersOnDisk()).toBe(3);
  });

  it('fetches a model again that neither memory nor disk had room for', async () => {
    models = create({ memoryBytes: 100, diskBytes: 2048 });
    // Two such artifacts do not fit the disk together.
    for (const name of ['a', 'b']) {
      store.put(
        `${name}.tar.gz`,
        tarGz([
          { path: 'model.onnx', content: fakeModel() },
          { path: 'labels', content: Buffer.alloc(1500) },
        ]),
      );
    }
    memory = new MemoryCache({ maxBytes: 2000, onError: () => undefined });
    models = createModels({
      store,
      engine: { load: async (directory) => ({ ...(await engine.load(directory)), sizeBytes: 2000 }) },
      memory,
      disk,
      limits: { maxUnpackedBytes: 2048, maxEntries: 10 },
      metrics,
      now: () => nowMs,
    });

    for (const name of ['a', 'b', 'a']) await call(`${name}.tar.gz`);

    expect(store.reads).toEqual({ 'a.tar.gz': 2, 'b.tar.gz': 1 });
    expect(await foldersOnDisk()).toBe(1);
  });

  it('fetches a model once for all calls that come together', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('a.tar.gz')));

    expect(new Set(answers)).toEqual(new Set([97]));
    expect(store.reads).toEqual({ 'a.tar.gz': 1 });
    expect(engine.opened).toBe(1);
  });

  it('serves more models together than memory holds', async () => {
    const names = Array.from({ length: 30 }, (_, index) => ['a', 'b', 'c'][index % 3] ?? 'a');

    const answers = await Promise.all(names.map((name) => call(`${name}.tar.gz`)));

    expect(answers).toEqual(names.map((name) => name.charCodeAt(0)));
    expect(memory.bytes).toBeLessThanOrEqual(250);
  });

  it('takes a bare .onnx object', async () => {
    store.put('plain.onnx', fakeModel({ bias: 5 }));

    expect(await call('plain.onnx')).toBe(5);
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

    store.put('new.tar.gz', artifact(Buffer.from(fakeModel({ bias: 1 }))));
    expect(await call('new.tar.gz')).toBe(1);
  });

  it('fails all calls that wait for it, and is tried again by the next', async () => {
    store.failWith = new ServingError('InternalDependencyException', 'the store is away');

    const results = await Promise.allSettled([call('a.tar.gz'), call('a.tar.gz')]);

    expect(results.map((result) => result.status === 'rejected' && result.reason)).toEqual([
      store.failWith,
      store.failWith,
    ]);
    expect(store.reads).toEqual({ 'a.tar.gz': 1 });
    store.failWith = undefined;
    expect(await call('a.tar.gz')).toBe(97);
  });

  it.each<[string, Uint8Array]>([
    ['no archive', Buffer.from('junk')],
    ['a hostile archive', tarGz([{ path: '../evil', content: 'x' }])],
    ['an archive without a model', tarGz([{ path: 'readme', content: 'x' }])],
  ])('leaves nothing behind: %s', async (_, bytes) => {
    store.put('bad.tar.gz', bytes);

    await expect(call('bad.tar.gz')).rejects.toMatchObject({ code: 'ModelError' });

    expect(memory.count).toBe(0);
    expect(await foldersOnDisk()).toBe(0);
    expect(await readdir(scratch.path)).toEqual(['models']);
  });

  it('is refused with both numbers when memory cannot hold it, and is not kept open', async () => {
    store.put('huge.onnx', fakeModel({ sizeBytes: 251 }));

    await expect(call('huge.onnx')).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringMatching(/takes 251 bytes of memory, and a worker has 250 .*inferenceMemory/),
    });

    expect(engine).toMatchObject({ opened: 1, closed: 1 });
  });

  it('is not even tried when its files alone are larger than memory', async () => {
    store.put('huge.onnx', Buffer.alloc(251));

    await expect(call('huge.onnx')).rejects.toThrow('takes 251 bytes of memory');

    expect(metrics.values('ModelLoadingTime')).toEqual([]);
  });

  it('is fetched anew when its copy on disk has been damaged', async () => {
    for (const name of ['a', 'b', 'c']) await call(`${name}.tar.gz`);
    const folder = disk.find('a.tar.gz')?.directory ?? '';
    await writeFile(join(folder, 'model.onnx'), 'damaged');

    expect(await call('a.tar.gz')).toBe(97);

    expect(store.reads['a.tar.gz']).toBe(2);
  });

  it('is fetched anew when its copy on disk is gone', async () => {
    for (const name of ['a', 'b', 'c']) await call(`${name}.tar.gz`);
    await rm(join(scratch.path, 'models'), { recursive: true });

    expect(await call('a.tar.gz')).toBe(97);
  });
});
