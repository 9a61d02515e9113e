import { beforeEach, describe, expect, it } from 'vitest';
import type { ModelStore } from '../../lib/models/model-store.ts';

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

    it.each(['plain.tar.gz', 'tenant-7/ü b+c%20.tar.gz'])('gives %s byte for byte', async (model) => {
      const bytes = Buffer.alloc(200_000, 'abc');
      await tested.put(model, bytes);

      const object = await tested.store.get(model);

      expect(object?.sizeBytes).toBe(bytes.length);
      const chunks: Uint8Array[] = [];
      for await (const chunk of object?.body ?? []) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    });

    it('gives another ETag when the bytes are others, and the same when they are the same', async () => {
      const etag = async (): Promise<string | undefined> => {
        const object = await tested.store.get('m.tar.gz');
        for await (const _ of object?.body ?? []);
        return object?.etag;
      };
      await tested.put('m.tar.gz', Buffer.from('one'));
      const first = await etag();

      expect(await etag()).toBe(first);
      await tested.put('m.tar.gz', Buffer.from('two'));
      expect(await etag()).not.toBe(first);
    });
  });
};
