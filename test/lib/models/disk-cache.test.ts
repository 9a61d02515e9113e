import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DiskCache } from '../../../lib/models/disk-cache.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';

const scratch = scratchFolder();
const root = (): string => join(scratch.path, 'models');
const create = (maxBytes = 100): DiskCache =>
  new DiskCache({
    root: root(),
    maxBytes,
    onError: (error) => {
      throw error;
    },
  });

const fill = async (cache: DiskCache, name: string, sizeBytes: number): Promise<string> => {
  const directory = await cache.reserve();
  await mkdir(directory);
  await writeFile(join(directory, 'model.onnx'), Buffer.alloc(sizeBytes));
  cache.keep(name, { directory, sizeBytes });
  return directory;
};

describe('DiskCache', () => {
  it('finds the folder that it was given', async () => {
    const cache = create();

    const directory = await fill(cache, 'a', 10);

    expect(cache.find('a')).toEqual({ directory, sizeBytes: 10 });
    expect(cache.find('b')).toBeUndefined();
    expect(cache.bytes).toBe(10);
  });

  it('makes no path of a name, and uses none twice', async () => {
    const cache = create();

    const first = await fill(cache, '../../evil', 1);
    const second = await fill(cache, '../../evil', 1);

    expect(first).not.toBe(second);
    expect([first, second].every((each) => each.startsWith(`${root()}/`) && !each.includes('evil'))).toBe(
      true,
    );
  });

  it('deletes the least recently used folder when another needs the room', async () => {
    const cache = create(100);
    await fill(cache, 'a', 50);
    const b = await fill(cache, 'b', 50);
    cache.find('a');

    const c = await fill(cache, 'c', 50);
    await cache.makeRoom(0);

    expect(cache.find('b')).toBeUndefined();
    expect((await readdir(root())).map((name) => join(root(), name)).sort()).toEqual(
      [cache.find('a')?.directory, c].sort(),
    );
    expect(b).toBeTruthy();
  });

  it('has made room, on the disk too, before the next artifact is unpacked', async () => {
    const cache = create(100);
    await fill(cache, 'a', 40);
    await fill(cache, 'b', 40);

    await cache.makeRoom(50);

    expect(cache.bytes).toBe(40);
    expect(await readdir(root())).toHaveLength(1);
    await cache.makeRoom(1000);
    expect(await readdir(root())).toEqual([]);
  });

  it('deletes at once what is larger than its whole bound', async () => {
    const cache = create(100);
    await fill(cache, 'a', 40);

    await fill(cache, 'huge', 101);
    await cache.makeRoom(0);

    expect(cache.find('huge')).toBeUndefined();
    expect(cache.find('a')).toBeDefined();
    expect(await readdir(root())).toHaveLength(1);
  });

  it('deletes what is dropped or discarded', async () => {
    const cache = create();
    await fill(cache, 'a', 10);
    const directory = await cache.reserve();
    await mkdir(directory);

    cache.drop('a');
    cache.discard({ directory, sizeBytes: 0 });
    await cache.makeRoom(0);

    expect(cache.find('a')).toBeUndefined();
    expect(await readdir(root())).toEqual([]);
  });

  it('deletes what a process before it left behind', async () => {
    await fill(create(), 'a', 10);
    await writeFile(join(root(), 'unfinished'), '');

    await create().reserve();

    expect(await readdir(root())).toEqual([]);
  });
});
