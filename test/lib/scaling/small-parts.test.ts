import { describe, expect, it } from 'vitest';
import { deriveRoutes } from '../../../lib/scaling/derive-routes.ts';
import { encodeState, parseState } from '../../../lib/scaling/encode-state.ts';
import { chooseLooks } from '../../../lib/scaling/look-at-fleet.ts';
import { createPace } from '../../../lib/scaling/pace.ts';
import { readClock } from '../../../lib/scaling/read-clock.ts';
import { EMPTY_STATE, NEW_GROUP, type ScalerState } from '../../../lib/scaling/state.ts';
import { scalingPolicy } from '../../stories/scaling-policy.ts';

const MINUTE = 60_000;
const policy = scalingPolicy({ coldGroups: ['cold-00', 'cold-01'], hotGroups: ['hot-00'] });

describe('createPace', () => {
  it('lets five calls a second through, the first at once', async () => {
    let nowMs = 0;
    const at: number[] = [];
    const pace = createPace({
      perSecond: 5,
      now: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
      },
    });

    for (let call = 0; call < 4; call++) {
      await pace();
      at.push(nowMs);
    }
    nowMs += 10_000;
    await pace();
    at.push(nowMs);

    expect(at).toEqual([0, 200, 400, 600, 10_600]);
  });
});

describe('deriveRoutes', () => {
  const hot: ScalerState = {
    ...EMPTY_STATE,
    activeShards: 1,
    groups: new Map([['hot-00', { ...NEW_GROUP, version: '7' }]]),
    models: new Map([
      ['m', { group: 'hot-00', stage: 'hot', sinceMs: 0, isDedicated: false }],
      ['warming', { group: 'hot-00', stage: 'warming', sinceMs: 0, isDedicated: false }],
      ['draining', { group: 'hot-00', stage: 'draining', sinceMs: 0, isDedicated: false }],
      ['gone', { group: 'hot-09', stage: 'hot', sinceMs: 0, isDedicated: false }],
    ]),
  };
  const target = { functionName: 'mme-hot-00', qualifier: '7' };

  it('names hot models with their version, and nothing that is on its way or no longer there', () => {
    expect(deriveRoutes(undefined, hot, policy)).toEqual({
      epoch: 1,
      coldGroups: ['cold-00'],
      hot: new Map([['m', target]]),
    });
  });

  it('changes nothing that says the same already', () => {
    const current = { epoch: 4, coldGroups: ['cold-00'], hot: new Map([['m', target]]) };

    expect(deriveRoutes(current, hot, policy)).toBeUndefined();
    const older = { ...current, hot: new Map([['m', { ...target, qualifier: '6' }]]) };
    expect(deriveRoutes(older, hot, policy)?.epoch).toBe(5);
  });
});

describe('the state as text', () => {
  it('is refused in a form that only a newer scaler knows', () => {
    const text = encodeState(EMPTY_STATE).replace('"format":1', '"format":2');

    expect(() => parseState(text)).toThrow(/has format 2, and this scaler reads 1/);
  });
});

describe('R1: the data clock', () => {
  const now = 100 * MINUTE + 5000;
  const read = (canary: readonly number[], router: readonly number[] = []) =>
    readClock(
      {
        read: async () => [canary, router].map((minutes) => new Map(minutes.map((at) => [at * MINUTE, 1]))),
        readTop: async () => new Map(),
      },
      { routerFunction: 'r', scalerFunction: 's' },
      now,
      MINUTE,
    );

  it('has settled the minute before the newest in which the scaler itself was seen', async () => {
    expect((await read([95, 96, 97])).settledMinute).toBe(96);
  });

  it('is blind when that is more than six minutes ago, or never was', async () => {
    expect((await read([93])).settledMinute).toBeUndefined();
    expect((await read([94])).settledMinute).toBe(93);
    expect((await read([])).settledMinute).toBeUndefined();
  });

  it('sees callers of the last quarter of an hour, and those of minutes that have not settled', async () => {
    expect((await read([97], [81])).isCalled).toBe(false);
    expect((await read([97], [82])).isCalled).toBe(true);
    expect((await read([97], [100])).isCalled).toBe(true);
  });
});

describe('R10: which groups are looked at', () => {
  const T0 = 1e9;
  const still = { ...NEW_GROUP, version: '7', liveVersion: '7', lookedAtMs: T0 };
  const state = (overrides: Partial<ScalerState> = {}): ScalerState => ({
    ...EMPTY_STATE,
    groups: new Map(['cold-00', 'cold-01', 'hot-00'].map((name) => [name, still])),
    ...overrides,
  });
  const names = (at: ScalerState, nowMs: number) =>
    chooseLooks(at, nowMs, policy).map(({ group, isDue }) => `${group}${isDue ? ' and its alias' : ''}`);

  it('none while nothing moves, all after a quarter of an hour, and soon after a deployment', () => {
    expect(names(state(), T0 + MINUTE)).toEqual([]);
    expect(names(state(), T0 + 15 * MINUTE)).toHaveLength(3);
    expect(names(state({ deployedAtMs: T0 }), T0 + 2 * MINUTE)).toHaveLength(3);
  });

  it.each([
    ['wants workers that are not there', { wanted: 2 }],
    [
      'has workers of an old version',
      { allocations: [{ version: '6', requested: 1, available: 1, status: 'READY' as const }] },
    ],
    [
      'has workers on their way',
      {
        wanted: 2,
        allocations: [{ version: '7', requested: 2, available: 0, status: 'IN_PROGRESS' as const }],
      },
    ],
    [
      'has a new version',
      {
        wanted: 1,
        liveVersion: '8',
        allocations: [{ version: '7', requested: 1, available: 1, status: 'READY' as const }],
      },
    ],
  ])('one that %s, each time', (_, record) => {
    const moving = state();
    const groups = new Map(moving.groups).set('hot-00', { ...still, ...record });

    expect(names({ ...moving, groups }, T0 + MINUTE)).toEqual(['hot-00']);
  });
});
