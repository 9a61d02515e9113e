import { beforeEach, describe, expect, it } from 'vitest';
import type { ModelObject, ModelStore } from '../../lib/models/model-store.ts';

export interface StoreUnderTest {
  readonly store: ModelStore;
  put(model: string, bytes: Uint8Array): Promise<void>;
}

/** What every ModelStore must do; `create` gives an empty one. */
export const modelStoreContract = (name: string, create: () => Promise<StoreUnderTest>): void => {
  describe(`ModelStore: ${name}`, () => {
    let tested: StoreUnderTest;
    beforeEach(async () => {
      tested = await create();
    });

    it('has nothing where nothing was put', async () => {
      expect(await tested.store.get('none.tar.gz')).toBeUndefined();
    });

    const find = async (model: string): Promise<ModelObject> => {
      const object = await tested.store.get(model);
      if (object === undefined || object === 'unchanged') throw new Error(`${model} is ${object}`);
      return object;
    };

    const read = async (model: string): Promise<Buffer> => {
      const object = await find(model);
      const chunks: Uint8Array[] = [];
      for await (const chunk of object.body) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      expect(object.sizeBytes).toBe(bytes.length);
      return bytes;
    };

    it.each([
      ['plain.tar.gz', 200_000],
      ['tenant-7/ü b+c%20.tar.gz', 200_000],
      ["a!b'(c)*~.tar.gz", 10],
      ['empty.tar.gz', 0],
      ['exactly-one-part.tar.gz', 8 * 1024 * 1024],
      ['one-byte-more.tar.gz', 8 * 1024 * 1024 + 1],
      ['many-parts.tar.gz', 50_000_000],
    ])('gives %s of %i bytes byte for byte', async (model, sizeBytes) => {
      const bytes = Buffer.alloc(sizeBytes);
      for (let at = 0; at + 4 <= sizeBytes; at += 4096) bytes.writeUInt32LE(at, at);
      await tested.put(model, bytes);

      expect((await read(model)).equals(bytes)).toBe(true);
    });

    it('gives another ETag when the bytes are others, and says unchanged when they are not', async () => {
      const etag = async (known?: string): Promise<string | undefined> => {
        const object = await tested.store.get('m.tar.gz', known);
        if (object === undefined || object === 'unchanged') return object;
        object.discard();
        return object.etag;
      };
      await tested.put('m.tar.gz', Buffer.from('one'));
      const first = await etag();

      expect(await etag(first)).toBe('unchanged');
      await tested.put('m.tar.gz', Buffer.from('two'));
      const second = await etag(first);
      expect(second).toMatch(/^".+"$/);
      expect(second).not.toBe(first);
    });

    const etagOf = async (model: string): Promise<string> => {
      const object = await find(model);
      object.discard();
      return object.etag;
    };

    it('lists nothing where nothing was put', async () => {
      expect(await tested.store.list('')).toEqual({ etags: new Map(), isLast: true });
    });

    it('lists names in the order of their keys with the ETags that get gives, after any name', async () => {
      const names = ['a/b&c<d>.tar.gz', 'b "quoted".tar.gz', 'c%20+é.tar.gz', 'd.tar.gz'];
      for (const name of names) await tested.put(name, Buffer.from(name));
      const etags = await Promise.all(names.map(async (name) => [name, await etagOf(name)]));

      expect([...(await tested.store.list('')).etags]).toEqual(etags);
      expect([...(await tested.store.list('b')).etags]).toEqual(etags.slice(1));
      expect([...(await tested.store.list('d.tar.gz')).etags]).toEqual([]);
    });

    it('lists a thousand at a time', async () => {
      const names = Array.from({ length: 1001 }, (_, index) => `m-${String(index).padStart(4, '0')}`);
      for (const name of names) await tested.put(name, Buffer.from('x'));

      const first = await tested.store.list('');
      expect([...first.etags.keys()]).toEqual(names.slice(0, 1000));
      expect(first.isLast).toBe(false);
      const second = await tested.store.list('m-0999');
      expect([...second.etags.keys()]).toEqual(['m-1000']);
      expect(second.isLast).toBe(true);
    });
  });
};
