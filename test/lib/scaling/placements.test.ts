import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../lib/scaling/observation.ts';
import { movePlacements } from '../../../lib/scaling/placements.ts';
import {
  EMPTY_STATE,
  type GroupRecord,
  NEW_GROUP,
  type Placement,
  type ScalerState,
} from '../../../lib/scaling/state.ts';
import { scalingPolicy } from '../../stories/scaling-policy.ts';

const MINUTE = 60_000;
const T0 = 29_000_000 * MINUTE;
const policy = scalingPolicy();

const observe = (overrides: Partial<Observation> = {}): Observation => ({
  nowMs: T0,
  settledMinute: 28_999_997,
  knownMinutes: 60,
  isIdle: false,
  groups: new Map(),
  models: new Map(),
  rows: new Map(),
  fleet: new Map(),
  preloads: new Map(),
  routes: { epoch: 1, coldGroups: policy.coldGroups, hot: new Map() },
  ...overrides,
});

const ready: GroupRecord = {
  ...NEW_GROUP,
  version: '7',
  liveVersion: '7',
  wanted: 2,
  allocations: [{ version: '7', requested: 2, available: 2, status: 'READY' }],
};

const state = (placement: Partial<Placement> = {}, record: Partial<GroupRecord> = {}): ScalerState => ({
  ...EMPTY_STATE,
  groups: new Map([['hot-00', { ...ready, ...record }]]),
  models: new Map([
    ['m', { group: 'hot-00', stage: 'warming', sinceMs: T0 - MINUTE, isDedicated: false, ...placement }],
  ]),
});

const reported = (report: object) =>
  new Map([['hot-00', new Map([['7', [{ model: 'm', tookMs: 5, atMs: T0 - 1000, ...report }]]])]]);

describe('R9: a model that is warming', () => {
  it('is hot when workers are ready and have said that they opened it', () => {
    const { state: next, decisions } = movePlacements(state(), observe({ preloads: reported({}) }), policy);

    expect(next.models.get('m')).toMatchObject({ stage: 'hot', hotMinute: 29_000_000 });
    expect(decisions).toHaveLength(1);
  });

  it.each([
    ['no worker is ready', state({}, { allocations: [] }), reported({})],
    ['nobody has said so', state(), new Map()],
    ['what was said is older than its coming', state(), reported({ atMs: T0 - 2 * MINUTE })],
    ['it was said of another version', state({}, { version: '8' }), reported({})],
  ])('stays so while %s', (_, before, preloads) => {
    expect(movePlacements(before, observe({ preloads }), policy).state.models).toEqual(before.models);
  });

  it('is cold, and stays so for half an hour, when workers cannot open it', () => {
    const seen = observe({ preloads: reported({ error: 'bad graph' }) });

    const { state: next } = movePlacements(state(), seen, policy);

    expect(next.models.has('m')).toBe(false);
    expect(next.barred.get('m')).toEqual({
      untilMs: T0 + 30 * MINUTE,
      why: 'workers of hot-00 could not open it: bad graph',
    });
    const later = movePlacements(next, observe({ nowMs: T0 + 31 * MINUTE }), policy);
    expect(later.state.barred.size).toBe(0);
  });

  it('is hot without a word where workers load it quickly, and cold after twenty minutes where they do not', () => {
    const rows = (loadMs: number) => new Map([['m', { model: 'm', loadMs }]]);

    const quick = movePlacements(state(), observe({ rows: rows(40) }), policy);
    const slow = movePlacements(state({ sinceMs: T0 - 20 * MINUTE }), observe({ rows: rows(900) }), policy);

    expect(quick.state.models.get('m')?.stage).toBe('hot');
    expect(slow.state.models.has('m')).toBe(false);
    expect(slow.state.barred.has('m')).toBe(true);
  });
});

describe('R9: a model that is draining', () => {
  const draining = (overrides: Partial<Placement> = {}) =>
    state({ stage: 'draining', hotMinute: 1, ...overrides });
  const routedTo = { functionName: 'mme-hot-00', qualifier: '7' };

  it('is cold when routes have not named it for two of their lifetimes and the longest door', () => {
    const first = movePlacements(draining(), observe(), policy).state;
    expect(first.models.get('m')).toMatchObject({ stage: 'draining', routedAwayAtMs: T0 });

    const early = movePlacements(first, observe({ nowMs: T0 + 69_999 }), policy).state;
    expect(early.models.get('m')?.stage).toBe('draining');

    expect(movePlacements(first, observe({ nowMs: T0 + 70_000 }), policy).state.models.has('m')).toBe(false);
  });

  it('counts only from when routes were seen without it', () => {
    const routes = { epoch: 1, coldGroups: policy.coldGroups, hot: new Map([['m', routedTo]]) };

    const { state: next } = movePlacements(draining(), observe({ routes, nowMs: T0 + 1e6 }), policy);

    expect(next.models.get('m')).not.toHaveProperty('routedAwayAtMs');
  });
});

it('a model whose slot is no longer deployed is cold at once', () => {
  const before = state({ stage: 'hot', group: 'hot-99' });

  expect(movePlacements(before, observe(), policy).state.models.size).toBe(0);
});
