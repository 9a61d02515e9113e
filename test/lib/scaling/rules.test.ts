import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { budgetOf, shareBudget } from '../../../lib/scaling/budget.ts';
import { isBusyEnough, whyDemote, workersFilled } from '../../../lib/scaling/candidates.ts';
import { combine, loadAt, pathOf } from '../../../lib/scaling/demand.ts';
import { carriedBy, type Load } from '../../../lib/scaling/erlang.ts';
import { type GroupSeen, type ModelSeen, SEEN_MINUTES } from '../../../lib/scaling/observation.ts';
import { PRICES } from '../../../lib/scaling/prices.ts';
import { chooseShards } from '../../../lib/scaling/shards.ts';
import { chooseSlot, type Newcomer, type Resident, type Slot } from '../../../lib/scaling/slots.ts';
import { findOddSpillover } from '../../../lib/scaling/spillover.ts';
import { chooseWorkers, dollarsPerHour, worthOfWorker } from '../../../lib/scaling/worth.ts';

const costs = (slowAnswerDollars: number) => ({
  prices: PRICES.x86_64,
  memoryGb: 1769 / 1024,
  slowAnswerDollars,
});
const load = (callsPerSecond: number, callSeconds: number): Load => ({
  callsPerSecond,
  callSeconds,
  erlangs: callsPerSecond * callSeconds,
});
const ANY = { min: 0, max: Number.POSITIVE_INFINITY };
const MINUTE = 60_000;
const minutes = (...last: number[]): number[] => [...new Array(SEEN_MINUTES - last.length).fill(0), ...last];

describe('R3: what workers carry', () => {
  it("is Erlang's loss formula", () => {
    // B(3, 2) = (2^3 / 3!) / (1 + 2 + 2 + 4/3) = 0.2105...
    expect(carriedBy(3, load(20, 0.1)) / 20).toBeCloseTo(1 - 4 / 3 / (1 + 2 + 2 + 4 / 3), 12);
  });

  it('is at most ten calls a second for each', () => {
    expect(carriedBy(3, load(200, 0.004))).toBe(30);
  });

  it('is nothing with none, and nothing of nothing', () => {
    expect(carriedBy(0, load(20, 0.1))).toBe(0);
    expect(carriedBy(5, load(0, 0.1))).toBe(0);
  });
});

describe('R4: how many workers are worth their price', () => {
  it.each([
    [20, 0.1, 0.001, 1e-4, 3],
    [100, 0.1, 0.001, 1e-4, 13],
    [100, 0.1, 0.001, 0, 10],
    [200, 0.004, 0.0006, 1e-4, 20],
    [200, 0.004, 0.0006, 0, 0],
  ])(
    'for %d calls/s of %d s, %d s of start, k = %d: %d',
    (callsPerSecond, callSeconds, startSeconds, k, workers) => {
      const path = { startSeconds, slowShare: 0.01 };

      expect(chooseWorkers(load(callsPerSecond, callSeconds), path, costs(k), ANY)).toBe(workers);
    },
  );

  it('counts money alone above 60 % use when there is no start to save and k is 0', () => {
    const path = { startSeconds: 0, slowShare: 0 };
    const worthAt = (use: number) =>
      worthOfWorker(1, { callsPerSecond: 1, callSeconds: 1, erlangs: use / (1 - use) }, path, costs(0));
    // One worker that is offered a carries a/(1+a) of its time.
    const full = (use: number) => worthAt(use) + 0;
    expect(Number.isFinite(full(0.5))).toBe(true);
    const oneCall = (use: number) =>
      worthOfWorker(
        1,
        { callsPerSecond: use / (1 - use), callSeconds: 1, erlangs: use / (1 - use) },
        path,
        costs(0),
      );
    expect(oneCall(0.59)).toBeLessThan(0);
    expect(oneCall(0.61)).toBeGreaterThan(0);
  });

  it('stays within bounds, of which the upper one wins', () => {
    const path = { startSeconds: 0.001, slowShare: 0.01 };
    expect(chooseWorkers(load(0, 0.1), path, costs(1e-4), { min: 2, max: 5 })).toBe(2);
    expect(chooseWorkers(load(100, 0.1), path, costs(1e-4), { min: 2, max: 5 })).toBe(5);
    expect(chooseWorkers(load(0, 0.1), path, costs(1e-4), { min: 7, max: 5 })).toBe(5);
  });

  it('R13: never falls when calls rise and take as long', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 500, noNaN: true }),
        fc.double({ min: 0, max: 500, noNaN: true }),
        fc.double({ min: 0.001, max: 5, noNaN: true }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.constantFrom(0, 1e-5, 1e-4, 1e-3),
        (some, more, callSeconds, slowShare, k) => {
          const path = { startSeconds: 0.01, slowShare };
          const less = chooseWorkers(load(Math.min(some, more), callSeconds), path, costs(k), ANY);
          const rest = chooseWorkers(load(Math.max(some, more), callSeconds), path, costs(k), ANY);
          return less <= rest;
        },
      ),
    );
  });

  it('each worker that is chosen is worth its price, and the next is not', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        (callsPerSecond, callSeconds) => {
          const path = { startSeconds: 0.002, slowShare: 0.01 };
          const asked = load(callsPerSecond, callSeconds);
          const workers = chooseWorkers(asked, path, costs(1e-4), ANY);
          expect(worthOfWorker(workers + 1, asked, path, costs(1e-4))).toBeLessThanOrEqual(1e-15);
          if (workers > 0) expect(worthOfWorker(workers, asked, path, costs(1e-4))).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('bills an idle worker $18.9 for 730 hours at 1,769 MB', () => {
    const nothing = load(0, 0.1);
    const path = { startSeconds: 0, slowShare: 0 };
    expect(730 * dollarsPerHour(1, nothing, path, costs(0))).toBeCloseTo(18.92, 1);
  });
});

describe('R2: demand', () => {
  const seen = (overrides: Partial<GroupSeen> = {}): GroupSeen => ({
    calls: minutes(600, 1200),
    busyMs: minutes(60_000, 120_000),
    loadMs: minutes(0, 0),
    provisioned: minutes(),
    startMs: minutes(),
    slow: minutes(),
    memoryUse: minutes(0.2),
    ...overrides,
  });

  it('is averaged over two minutes', () => {
    const demand = { calls: minutes(600, 1200), workMs: minutes(60_000, 120_000) };

    expect(loadAt(demand, 0, 0.1, MINUTE)).toEqual({ callsPerSecond: 15, erlangs: 1.5, callSeconds: 0.1 });
  });

  it('has what calls on demand met, and what was known where there were too few', () => {
    expect(pathOf(seen({ startMs: minutes(3600), slow: minutes(18) }), undefined)).toEqual({
      startSeconds: 0.002,
      slowShare: 0.01,
    });
    const known = { startSeconds: 1, slowShare: 0.5 };
    expect(pathOf(seen({ provisioned: minutes(600, 1190) }), known)).toBe(known);
    expect(pathOf(undefined, undefined)).toEqual({ startSeconds: 0, slowShare: 0 });
  });

  it('is put together from several, and never below nothing', () => {
    const one = { calls: [1, 2, 3], workMs: [10, 20, 30] };
    expect(combine(one, one, 1, (ago) => ago > 0)).toEqual({ calls: [2, 4, 3], workMs: [20, 40, 30] });
    expect(combine(one, { calls: [5, 5, 5], workMs: [5, 5, 5] }, -1, () => true)).toEqual({
      calls: [0, 0, 0],
      workMs: [5, 15, 25],
    });
  });
});

describe('R5: spillover', () => {
  const steady = (provisionedPerMinute: number): GroupSeen => {
    const all = (value: number) => new Array<number>(SEEN_MINUTES).fill(value);
    return {
      calls: all(1200),
      busyMs: all(120_000),
      loadMs: all(0),
      provisioned: all(provisionedPerMinute),
      startMs: all(0),
      slow: all(0),
      memoryUse: all(0.2),
    };
  };
  const asked = { workers: 4, steadyMinutes: 10, minuteMs: MINUTE };

  it('is no news where it is as much as workers leave over', () => {
    // 2 Erlang on 4 workers: B = 9.5 %.
    expect(findOddSpillover({ ...asked, seen: steady(1086) })).toBeUndefined();
  });

  it('is told where calls do not find the workers that are there, once they have been there for ten minutes', () => {
    expect(findOddSpillover({ ...asked, seen: steady(300) })).toEqual({
      spilled: 0.75,
      expected: expect.closeTo(0.095, 2),
    });
    expect(findOddSpillover({ ...asked, seen: steady(300), steadyMinutes: 9 })).toBeUndefined();
    expect(findOddSpillover({ ...asked, seen: undefined })).toBeUndefined();
    expect(findOddSpillover({ ...asked, seen: steady(0), workers: 0 })).toBeUndefined();
  });
});

describe('R6: candidates', () => {
  const model = (calls: number[], callSeconds: number, fresh: number[] = [0, 0, 0]): ModelSeen => ({
    calls: minutes(...calls),
    busySeconds: minutes(...calls.map((count) => count * callSeconds)),
    fresh: { calls: fresh, busySeconds: fresh.map((count) => count * callSeconds) },
  });

  it('a short call fills a worker for a tenth of a second', () => {
    expect(workersFilled(model([600], 0.001), 0, MINUTE)).toBe(1);
    expect(workersFilled(model([60], 2), 0, MINUTE)).toBe(2);
  });

  it.each([
    ['three of five minutes at one worker', [600, 0, 600, 0, 600], [0, 0, 0], true],
    ['two of five', [600, 0, 0, 0, 600], [0, 0, 0], false],
    ['two of five at four workers', [2400, 0, 0, 0, 2400], [0, 0, 0], true],
    ['one at four workers', [0, 0, 0, 0, 2400], [0, 0, 0], false],
    ['minutes that have not settled', [0, 0, 0, 0, 600], [600, 600, 0], true],
  ])('%s', (_, calls, fresh, isEnough) => {
    expect(isBusyEnough(model(calls, 0.01, fresh), MINUTE)).toBe(isEnough);
  });

  const asked = { minuteMs: MINUTE, hotMinutes: 30 };

  it('leaves its slot when it fills less than half a worker for ten minutes, or is not called for its idle time', () => {
    const little = model(new Array(10).fill(200), 0.01);
    expect(whyDemote(little, undefined, asked)).toMatch(/less than 0.5/);
    expect(whyDemote(model([400, ...new Array(9).fill(200)], 0.01), undefined, asked)).toBeUndefined();
    expect(whyDemote(undefined, undefined, asked)).toMatch(/no call for 10 minutes/);
    expect(whyDemote(undefined, { model: 'm', maxIdleSeconds: 60 }, { ...asked, hotMinutes: 5 })).toMatch(
      /5 minutes/,
    );
  });

  it('stays while it is new, pinned, or was promised workers', () => {
    expect(whyDemote(undefined, undefined, { ...asked, hotMinutes: 3 })).toBeUndefined();
    expect(whyDemote(undefined, { model: 'm', pinned: true }, asked)).toBeUndefined();
    expect(whyDemote(undefined, { model: 'm', minWorkers: 1 }, asked)).toBeUndefined();
  });
});

describe('R7: slots', () => {
  const policy = { roomBytes: 100, lazyLoadMs: 250 };
  const newcomer = (overrides: Partial<Newcomer> = {}): Newcomer => ({
    model: 'new',
    row: { model: 'new', sizeBytes: 10, loadMs: 40 },
    filled: 2,
    ...overrides,
  });
  const resident = (overrides: Partial<Resident> = {}): Resident => ({
    ...newcomer({ model: 'old' }),
    stage: 'hot',
    isDedicated: false,
    ...overrides,
  });
  const slot = (group: string, residents: Resident[], overrides: Partial<Slot> = {}): Slot => ({
    group,
    residents,
    isUsable: true,
    isStarted: residents.length > 0,
    isReady: residents.length > 0,
    ...overrides,
  });

  it('takes the busiest shared slot with room, whose workers load it lazily', () => {
    const slots = [
      slot('hot-00', [resident()]),
      slot('hot-01', [resident({ filled: 5 })]),
      slot('hot-02', []),
    ];
    expect(chooseSlot(newcomer(), slots, policy)).toEqual({
      kind: 'take',
      group: 'hot-01',
      isDedicated: false,
      isLazy: true,
    });
  });

  it.each([
    ['has no room', slot('hot-00', [resident({ row: { model: 'old', sizeBytes: 95 } })]), newcomer()],
    ['is somebody’s own', slot('hot-00', [resident({ isDedicated: true })]), newcomer()],
    ['keeps failing', slot('hot-00', [resident()], { isUsable: false }), newcomer()],
    [
      'has workers, and the newcomer loads slowly',
      slot('hot-00', [resident()]),
      newcomer({ row: { model: 'new', sizeBytes: 1, loadMs: 900 } }),
    ],
    [
      'is shared, and the newcomer is isolated',
      slot('hot-00', [resident()]),
      newcomer({ row: { model: 'new', isolated: true } }),
    ],
    [
      'is shared, and the newcomer has a bound',
      slot('hot-00', [resident()]),
      newcomer({ row: { model: 'new', maxWorkers: 2 } }),
    ],
    [
      'is shared, and the newcomer fills eight workers',
      slot('hot-00', [resident()]),
      newcomer({ filled: 8 }),
    ],
  ])('takes an empty slot where the other %s', (_, other, model) => {
    expect(chooseSlot(model, [other, slot('hot-01', [])], policy)).toMatchObject({
      kind: 'take',
      group: 'hot-01',
      isLazy: false,
    });
  });

  it('takes the place of the least busy one that is at most half as busy, and never of one with a promise', () => {
    const full = [
      slot('hot-00', [resident({ model: 'a', filled: 5, isDedicated: true })]),
      slot('hot-01', [resident({ model: 'b', filled: 4, isDedicated: true })]),
      slot('hot-02', [
        resident({ model: 'c', filled: 1, isDedicated: true, row: { model: 'c', pinned: true } }),
      ]),
    ];
    expect(chooseSlot(newcomer({ filled: 9 }), full, policy)).toEqual({
      kind: 'replace',
      group: 'hot-01',
      leaving: 'b',
    });
    expect(chooseSlot(newcomer({ filled: 7 }), full, policy)).toMatchObject({ kind: 'none' });
  });
});

describe('R8: the budget', () => {
  /** Each worker is worth half of the one before. */
  const claim = (group: string, target: number, min = 0, worth = 1) => ({
    group,
    target,
    min,
    worths: Array.from({ length: target }, (_, index) => worth / 2 ** index),
  });

  it('is what the account leaves after a fifth, a hundred and the reservations', () => {
    expect(budgetOf(5000, { limit: 1000, unreserved: 950 })).toBe(650);
    expect(budgetOf(20, { limit: 1000, unreserved: 1000 })).toBe(20);
    expect(budgetOf(20, { limit: 10, unreserved: 10 })).toBe(0);
    expect(budgetOf(20, undefined)).toBe(20);
  });

  it('gives everybody what they ask for when there is enough', () => {
    expect(Object.fromEntries(shareBudget([claim('a', 3), claim('b', 4)], 10))).toEqual({ a: 3, b: 4 });
  });

  it('is shared worker by worker to whoever’s next one is worth most, ties by name', () => {
    expect(Object.fromEntries(shareBudget([claim('a', 2), claim('b', 8, 0, 5)], 5))).toEqual({ a: 1, b: 4 });
    expect(Object.fromEntries(shareBudget([claim('a', 2, 0, 1), claim('b', 2, 0, 2)], 1))).toEqual({
      a: 0,
      b: 1,
    });
    expect(Object.fromEntries(shareBudget([claim('b', 2), claim('a', 2)], 1))).toEqual({ a: 1, b: 0 });
  });

  it('is shared alike where worths differ by a hair’s breadth', () => {
    const flat = (group: string, worth: number) => ({
      group,
      target: 4,
      min: 0,
      worths: new Array<number>(4).fill(worth),
    });

    expect(Object.fromEntries(shareBudget([flat('a', 1.01), flat('b', 1), flat('c', 1)], 6))).toEqual({
      a: 2,
      b: 2,
      c: 2,
    });
  });

  it('keeps promises first, by largest remainder when there is too little even for them', () => {
    expect(Object.fromEntries(shareBudget([claim('a', 9), claim('b', 2, 2)], 3))).toEqual({ a: 1, b: 2 });
    expect(Object.fromEntries(shareBudget([claim('a', 5, 5), claim('b', 2, 2)], 3))).toEqual({ a: 2, b: 1 });
  });

  it('is never exceeded, gives nobody more than asked, and leaves nothing over while somebody wants it', () => {
    const claims = fc.array(fc.tuple(fc.nat(30), fc.nat(5), fc.double({ min: 0, max: 1, noNaN: true })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(claims, fc.nat(60), (list, budget) => {
        const asked = list.map(([target, min, worth], index) =>
          claim(`g${index}`, Math.max(target, min), min, worth),
        );
        const given = shareBudget(asked, budget);
        const total = [...given.values()].reduce((all, each) => all + each, 0);
        const wanted = asked.reduce((all, { target }) => all + target, 0);
        expect(total).toBe(Math.min(budget, wanted));
        const promised = asked.reduce((all, { min }) => all + min, 0);
        for (const { group, target, min } of asked) {
          expect(given.get(group)).toBeLessThanOrEqual(target);
          if (promised <= budget) expect(given.get(group)).toBeGreaterThanOrEqual(min);
        }
      }),
    );
  });
});

describe('R11: active shards', () => {
  const group = (perMinute: number, memoryUse: number): GroupSeen => ({
    calls: new Array(SEEN_MINUTES).fill(perMinute),
    busyMs: minutes(),
    loadMs: minutes(),
    provisioned: minutes(),
    startMs: minutes(),
    slow: minutes(),
    memoryUse: new Array(SEEN_MINUTES).fill(memoryUse),
  });
  const asked = (current: number, seen: GroupSeen[], knownMinutes = 60, steadyMinutes = 60) =>
    chooseShards({ current, deployed: 32, seen, minuteMs: MINUTE, knownMinutes, steadyMinutes });

  it('one is enough for 2,000 models that are called every twenty seconds between them', () => {
    const seen = Array.from({ length: 32 }, () => group(0.1, 0.1));
    expect(asked(32, seen)).toBe(1);
  });

  it('doubles while the workers are full and busy, and goes no further than is deployed', () => {
    const full = (count: number) => Array.from({ length: count }, () => group(600, 0.99));
    expect(asked(2, full(2))).toBe(4);
    expect(asked(20, full(20))).toBe(32);
  });

  it('does not double again before it has seen what doubling did', () => {
    const full = Array.from({ length: 4 }, () => group(6000, 0.99));
    expect(asked(4, full, 60, 9)).toBe(4);
    const wasFull = {
      ...group(6000, 0.4),
      memoryUse: [...new Array(48).fill(0.99), ...new Array(12).fill(0.4)],
    };
    expect(
      asked(
        4,
        Array.from({ length: 4 }, () => wasFull),
        60,
        12,
      ),
    ).toBe(4);
  });

  it('goes down only after an hour of which there is word', () => {
    const seen = [group(600, 0.2), group(600, 0.2)];
    expect(asked(2, seen, 30)).toBe(2);
    expect(asked(2, seen)).toBe(1);
  });

  it('stays where nobody has said how full workers are', () => {
    expect(
      asked(
        4,
        Array.from({ length: 4 }, () => group(6000, 0)),
      ),
    ).toBeGreaterThanOrEqual(4);
  });
});
