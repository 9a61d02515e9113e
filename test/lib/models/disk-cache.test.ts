import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DiskCache, type Folder, type FolderLease } from '../../../lib/models/disk-cache.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';

const scratch = scratchFolder();
const root = (): string => join(scratch.path, 'models');
const onError = (error: unknown): void => {
  throw error;
};

/** What a folder is charged beside its files. */
const OVERHEAD = 16 * 1024;
const create = (folders = 2, sizeBytes = 50): DiskCache =>
  new DiskCache({ root: root(), maxBytes: folders * (OVERHEAD + sizeBytes), onError });

const unpack = async (cache: DiskCache, sizeBytes: number, etag = '"1"'): Promise<Folder> => {
  const directory = await cache.reserve();
  await mkdir(directory);
  await writeFile(join(directory, 'model.onnx'), Buffer.alloc(sizeBytes));
  return { directory, sizeBytes, etag, fetchMs: 1 };
};
const hold = async (cache: DiskCache, name: string, sizeBytes = 50): Promise<FolderLease> =>
  cache.keep(name, await unpack(cache, sizeBytes));
const fill = async (cache: DiskCache, name: string, sizeBytes = 50): Promise<void> =>
  (await hold(cache, name, sizeBytes)).release();
const has = async (cache: DiskCache, name: string): Promise<boolean> => {
  const lease = await cache.lease(name);
  lease?.release();
  return lease !== undefined;
};
/** Folders, without the notes beside them; deletions are waited for. */
const folders = async (cache: DiskCache): Promise<readonly string[]> => {
  await cache.settle();
  return (await readdir(root())).filter((name) => !name.endsWith('.json'));
};

describe('DiskCache', () => {
  it('finds the folder that it was given', async () => {
    const cache = create();

    await fill(cache, 'a');

    expect((await cache.lease('a'))?.folder).toMatchObject({ sizeBytes: 50, etag: '"1"' });
    expect(await cache.etagOf('a')).toBe('"1"');
    expect(await cache.lease('b')).toBeUndefined();
  });

  it('makes no path of a name, and uses none twice', async () => {
    const cache = create();

    const first = (await hold(cache, '../../evil', 1)).folder.directory;
    const second = (await hold(cache, '../../evil', 1)).folder.directory;

    expect(first).not.toBe(second);
    expect([first, second].every((each) => each.startsWith(`${root()}/`) && !each.includes('evil'))).toBe(
      true,
    );
  });

  it('deletes the folder worth least when another needs the room', async () => {
    const cache = create(2);
    await fill(cache, 'a');
    await fill(cache, 'b');
    await has(cache, 'a');

    await fill(cache, 'c');

    expect([await has(cache, 'a'), await has(cache, 'b'), await has(cache, 'c')]).toEqual([
      true,
      false,
      true,
    ]);
    expect(await folders(cache)).toHaveLength(2);
  });

  it('has made room, on the disk too, before the next artifact is unpacked', async () => {
    const cache = create(2);
    await fill(cache, 'a');
    await fill(cache, 'b');

    expect(await cache.makeRoom(50)).toBe(true);

    expect(await readdir(root())).toHaveLength(2);
    expect(await cache.makeRoom(1_000_000)).toBe(false);
  });

  it('never deletes a folder in use, and says when those leave no room', async () => {
    const cache = create(2);
    const [a, b] = [await hold(cache, 'a'), await hold(cache, 'b')];

    expect(await cache.makeRoom(50)).toBe(false);
    expect(cache.isFullOfLeases(50)).toBe(true);
    expect(await folders(cache)).toHaveLength(2);

    a.release();
    expect(cache.isFullOfLeases(50)).toBe(false);
    expect(await cache.makeRoom(50)).toBe(true);
    expect(await folders(cache)).toEqual([basename(b.folder.directory)]);
  });

  it('replaces a version, and deletes the old one when nobody uses it', async () => {
    const cache = create();
    const old = await hold(cache, 'a');

    (await cache.keep('a', await unpack(cache, 10, '"2"'))).release();

    expect(await cache.etagOf('a')).toBe('"2"');
    expect(await folders(cache)).toHaveLength(2);
    old.release();
    old.release();
    expect(await folders(cache)).toHaveLength(1);
  });

  it('lends what is larger than its whole bound once, and deletes it after that', async () => {
    const cache = create(1);
    await fill(cache, 'a');

    const huge = await hold(cache, 'huge', 1_000_000);
    expect(await folders(cache)).toHaveLength(2);
    huge.release();

    expect([await has(cache, 'huge'), await has(cache, 'a')]).toEqual([false, true]);
    expect(await folders(cache)).toHaveLength(1);
  });

  it('deletes what is dropped or discarded', async () => {
    const cache = create();
    await fill(cache, 'a');

    cache.drop('a');
    cache.discard(await unpack(cache, 10));

    expect(await has(cache, 'a')).toBe(false);
    expect(await folders(cache)).toEqual([]);
  });
});

describe('DiskCache, after its process has ended', () => {
  it('finds again what it had kept', async () => {
    await fill(create(), 'tenant/ü.tar.gz');

    const lease = await create().lease('tenant/ü.tar.gz');

    expect(lease?.folder).toMatchObject({ sizeBytes: 50, etag: '"1"', fetchMs: 1 });
    expect(await readdir(lease?.folder.directory ?? '')).toEqual(['model.onnx']);
  });

  it('deletes what was never finished, and what nobody wrote', async () => {
    const before = create();
    await fill(before, 'a');
    await unpack(before, 10);
    await mkdir(join(root(), 'x.tmp-1'));
    await writeFile(join(root(), 'y'), '');
    await writeFile(join(root(), 'gone.json'), '{"name":"gone","etag":"1","sizeBytes":1,"fetchMs":1}');

    const cache = create();

    expect(await has(cache, 'gone')).toBe(false);
    expect(await has(cache, 'a')).toBe(true);
    expect(await readdir(root())).toHaveLength(2);
  });

  it.each(['', '{', '[]', '{"name":"b"}', '{"name":"b","etag":"1","sizeBytes":"1","fetchMs":1}'])(
    'does not trust the note %j',
    async (note) => {
      await mkdir(join(root(), 'b'), { recursive: true });
      await writeFile(join(root(), 'b.json'), note);

      const cache = create();

      expect(await has(cache, 'b')).toBe(false);
      expect(await readdir(root())).toEqual([]);
    },
  );

  it('takes no more over than its bound, which may be a smaller one now', async () => {
    const before = create(3);
    for (const name of ['a', 'b', 'c']) await fill(before, name);

    const cache = create(1);
    await cache.lease('a');

    expect(cache.count).toBe(1);
    expect(await folders(cache)).toHaveLength(1);
  });

  it('starts empty where /tmp is new', async () => {
    await rm(root(), { recursive: true, force: true });

    expect(await create().lease('a')).toBeUndefined();
  });
});

it('is never above its bound, neither by its count nor on the disk', async () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    sizeBytes: fc.integer({ min: 0, max: 30_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      await rm(root(), { recursive: true, force: true });
      const cache = create(2, 20_000);
      for (const { name, sizeBytes } of steps) {
        if (!(await cache.makeRoom(sizeBytes))) continue;
        await fill(cache, name, sizeBytes);
        expect(cache.bytes).toBeLessThanOrEqual(cache.maxBytes);
        expect((await folders(cache)).length).toBe(cache.count);
      }
    }),
    { numRuns: 30 },
  );
});
