import { beforeEach, describe, expect, it } from 'vitest';
import { Freshness } from '../../../lib/models/freshness.ts';
import { Looks } from '../../../lib/models/looks.ts';
import { type MemoryModelStore, memoryModelStore } from '../../fakes/memory-model-store.ts';
import { Random } from '../../fuzz/random.ts';

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
    const few: (readonly [number, number])[] = [];
    for (let minute = 1; minute <= 10; minute++) {
      nowMs += MINUTE;
      few.push(await callAll(many.slice(0, 3)));
    }

    // What was spared before pays for four more.
    expect(few.slice(0, 4)).toEqual([1, 2, 3, 4].map(() => [1, 1]));
    expect(few.slice(5)).toEqual([6, 7, 8, 9, 10].map(() => [3, 0]));
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

    const first = [...store.lists];
    expect(first[0]).toBe('');
    expect(first[1]).toMatch(/^m-020[0-2]/);
    expect(asked.length).toBeLessThan(30);

    nowMs += MINUTE;
    await callAll(many.slice(500, 1000));
    await callAll(many.slice(2500));
    expect(store.lists).toEqual([...first, ...first]);
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

  it('knows of a page what it knew when it was asked for, however late the answer comes', async () => {
    const many = names(300);
    await load(many);
    const { list } = store;
    store.list = async (after) => {
      const page = await list.call(store, after);
      nowMs += 10 * MINUTE;
      return page;
    };

    await callAll(many.slice(0, 26));

    expect(store.lists).toHaveLength(1);
    expect(many.filter((name) => freshness.isFresh(name))).toEqual([]);
  });

  it('has lost nothing by a page that could not be had', async () => {
    const many = names(300);
    await load(many);
    await callAll(many);
    nowMs += MINUTE;
    await callAll(many);
    nowMs += MINUTE;
    store.failWith = new Error('no');
    expect(await callAll(many.slice(0, 20))).toEqual([20, 1]);
    nowMs += MINUTE;
    store.failWith = undefined;

    expect(await callAll(many)).toEqual([1, 1]);
  });

  it('asks for one page at a time', async () => {
    const many = names(300);
    await load(many);
    const answer = Promise.withResolvers<{ etags: Map<string, string>; isLast: boolean }>();
    store.list = (after) => {
      store.lists.push(after);
      return answer.promise;
    };

    const calls = many.map(call);
    nowMs += 20 * MINUTE;
    calls.push(...many.map(call));
    answer.resolve({ etags: new Map(open), isLast: true });
    await Promise.all(calls);

    expect(store.lists).toEqual(['']);
  });

  describe('never costs much more than single questions', () => {
    const PAGE_COSTS = 12.5;
    const MINUTES = 60;
    const all = names(3000);
    /** Not what the store has. */
    const REFUSED = all.slice(100, 200);
    const FAR_APART = all.filter((_, index) => index % 100 === 0);

    const TRAFFIC: Readonly<Record<string, (random: Random) => readonly string[]>> = {
      'all alike': (random) => Array.from({ length: 3000 }, () => random.pick(all)),
      'all, seldom': (random) => Array.from({ length: 30 }, () => random.pick(all)),
      'some popular, others in the order that pages serve worst': () =>
        all
          .slice(1100, 2000)
          .reverse()
          .flatMap((name) => [name, ...all.slice(2000, 2020)]),
      'a few': (random) => Array.from({ length: 200 }, () => random.pick(FAR_APART.slice(0, 14))),
      'popular ones beside many whose new versions are refused': (random) =>
        Array.from({ length: 2000 }, () => random.pick(random.chance(0.5) ? REFUSED : all.slice(0, 20))),
      'seldom, but twice': (random) =>
        Array.from({ length: 15 }, () => random.pick(all)).flatMap((name) => [name, name]),
      'as many as it takes to try, far apart': (random) =>
        Array.from({ length: 300 }, () => random.pick(FAR_APART)),
    };

    it.each(Object.keys(TRAFFIC))('%s', async (kind) => {
      const random = new Random(1);
      for (const name of all) store.put(name, name);
      for (const after of ['', 'm-00999', 'm-01999']) {
        for (const [name, etag] of (await store.list(after)).etags) open.set(name, etag);
      }
      for (const name of REFUSED) open.set(name, 'older');
      store.lists.length = 0;
      for (const name of all) freshness.note(name);
      const alone = new Freshness({ ttlMs: MINUTE, now: () => nowMs });
      for (const name of all) alone.note(name);
      let [singly, questions] = [0, 0];

      for (let minute = 0; minute < MINUTES; minute++) {
        const calls = TRAFFIC[kind]?.(random) ?? [];
        for (const name of calls) {
          nowMs += MINUTE / calls.length;
          if (!alone.isFresh(name)) {
            singly += 1;
            alone.note(name);
          }
          const before = asked.length;
          await call(name);
          questions += asked.length - before;
        }
      }

      // Pages shift the times at which models are due, so the two are not the same to the question.
      const most = 1.02 * singly + PAGE_COSTS * (MINUTES / 10 + 1);
      expect(questions + PAGE_COSTS * store.lists.length).toBeLessThanOrEqual(most);
    });
  });
});
