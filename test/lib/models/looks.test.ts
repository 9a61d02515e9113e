import { beforeEach, describe, expect, it } from 'vitest';
import { Freshness } from '../../../lib/models/freshness.ts';
import { Looks } from '../../../lib/models/looks.ts';
import { type MemoryModelStore, memoryModelStore } from '../../fakes/memory-model-store.ts';

const MINUTE = 60_000;

let store: MemoryModelStore;
let nowMs: number;
let errors: unknown[];
let looks: Looks;
let freshness: Freshness;
/** What is open, by name. */
let open: Map<string, string>;
let asked: string[];

beforeEach(() => {
  store = memoryModelStore();
  [nowMs, errors, open, asked] = [1_000_000, [], new Map(), []];
  const now = (): number => nowMs;
  freshness = new Freshness({ ttlMs: MINUTE, now });
  looks = new Looks({
    store,
    freshness,
    etagOf: (name) => open.get(name),
    refreshMs: MINUTE,
    now,
    onError: (error) => errors.push(error),
  });
});

const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `m-${String(index).padStart(5, '0')}`);

const load = async (models: readonly string[]): Promise<void> => {
  for (const name of models) store.put(name, name);
  const { etags } = await store.list('');
  for (const [name, etag] of etags) if (models.includes(name)) open.set(name, etag);
  store.lists.length = 0;
};

/** As a worker calls its open models. */
const call = async (name: string): Promise<void> => {
  if (freshness.isFresh(name)) return looks.noteFresh(name);
  asked.push(name);
  freshness.note(name);
  await looks.noteDue(name);
};

/** @returns questions about single models, and pages */
const callAll = async (models: readonly string[]): Promise<readonly [number, number]> => {
  asked = [];
  const pages = store.lists.length;
  for (const name of models) await call(name);
  return [asked.length, store.lists.length - pages];
};

describe('Looks', () => {
  it('asks about each of a few models by itself', async () => {
    const few = names(12);
    await load(few);

    for (let minute = 0; minute < 5; minute++) {
      expect(await callAll(few)).toEqual([12, 0]);
      nowMs += MINUTE;
    }
  });

  it('asks about hundreds by a page, from the first minute on', async () => {
    const many = names(300);
    await load(many);

    expect(await callAll(many)).toEqual([26, 1]);
    expect(store.lists).toEqual(['']);
    for (let minute = 0; minute < 3; minute++) {
      nowMs += MINUTE;
      expect(await callAll(many)).toEqual([1, 1]);
    }
  });

  it('finds with the next call what has changed or gone', async () => {
    const many = names(300);
    await load(many);
    await callAll(many);
    nowMs += MINUTE;
    store.put('m-00100', 'new');
    store.remove('m-00200');

    await callAll(many);

    expect(asked).toEqual(['m-00000', 'm-00100', 'm-00200']);
  });

  it('goes back to single questions where few are left in use', async () => {
    const many = names(300);
    await load(many);
    await callAll(many);
    nowMs += MINUTE;
    expect(await callAll(many.slice(0, 12))).toEqual([1, 1]);
    nowMs += MINUTE;

    expect(await callAll(many.slice(0, 12))).toEqual([12, 0]);
  });

  it('tries one page in ten minutes where few models of a page are open', async () => {
    const all = names(8000);
    const used = all.filter((_, index) => index % 200 === 0);
    for (const name of all) store.put(name, name);
    for (let page = 0; page < 8; page++) {
      const { etags } = await store.list(page === 0 ? '' : (all[1000 * page - 1] ?? ''));
      for (const name of used) open.set(name, etags.get(name) ?? open.get(name) ?? '');
    }
    store.lists.length = 0;

    for (let minute = 0; minute < 10; minute++) {
      await callAll(used);
      nowMs += MINUTE;
    }
    expect(store.lists).toEqual(['']);

    await callAll(used);
    expect(store.lists).toHaveLength(2);
  });

  it('begins beside the model that is called where the store has more than a page', async () => {
    const many = names(3000);
    await load(many.slice(0, 1000));
    for (const name of many) store.put(name, name);
    const { etags } = await store.list('m-01999');
    for (const [name, etag] of etags) open.set(name, etag);
    store.lists.length = 0;

    await callAll(many.slice(0, 1000));
    await callAll(many.slice(2000));

    expect(store.lists[0]).toBe('');
    expect(store.lists[1]).toMatch(/^m-020[0-2]/);
    expect(asked.length).toBeLessThan(30);
  });

  it('goes on with single questions when the list cannot be had', async () => {
    const many = names(300);
    await load(many);
    store.failWith = new Error('no');

    expect(await callAll(many)).toEqual([300, 1]);
    expect(errors).toEqual([store.failWith]);
    nowMs += 9 * MINUTE;
    expect(await callAll(many)).toEqual([300, 0]);
    nowMs += MINUTE;
    store.failWith = undefined;
    expect(await callAll(many)).toEqual([26, 1]);
  });
});
