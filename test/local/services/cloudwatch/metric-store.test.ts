import { describe, expect, it } from 'vitest';
import { createBucket } from '../../../../local/services/cloudwatch/bucket.ts';
import type { MetricStore } from '../../../../local/services/cloudwatch/metric-store.ts';
import { readPoints } from '../../../../local/services/cloudwatch/read-points.ts';
import { createSettling, type Settling } from '../../../../local/services/cloudwatch/settling.ts';
import { AT_ONCE, createStore, datum, MINUTE, T0 } from './cloudwatch-harness.ts';

const METRIC = { namespace: 'ns', name: 'm', dimensions: {} };

/** Sums and counts by how long after T0 their period starts. */
const read = (
  store: MetricStore,
  {
    nowMs = T0,
    settling = AT_ONCE,
    periodMs = MINUTE,
    startMs = T0 - 200 * MINUTE,
  }: { nowMs?: number; settling?: Settling; periodMs?: number; startMs?: number },
): Record<number, readonly [sum: number, count: number]> => {
  const series = store.find(METRIC);
  if (series === undefined) return {};
  const range = { startMs, endMs: T0 + 200 * MINUTE, periodMs, nowMs };
  const points = readPoints(
    series,
    range,
    createSettling(settling, () => 0.5),
  );
  return Object.fromEntries([...points].map(([timeMs, { sum, count }]) => [timeMs - T0, [sum, count]]));
};

describe('the metric store', () => {
  it('adds up what falls into one period, in any order of time', () => {
    const { store } = createStore();
    store.record(datum({ timestampMs: T0 + 61_000, values: [5], counts: [2] }));
    store.record(datum({ timestampMs: T0 + 59_999, values: [1, 2] }));
    store.record(datum({ timestampMs: T0 }));

    expect(read(store, {})).toEqual({ 0: [4, 3], 60000: [10, 2] });
    expect(read(store, { periodMs: 120_000 })).toEqual({ 0: [14, 5] });
    expect(read(store, { periodMs: 10_000 })).toEqual({ 0: [1, 1], 50000: [3, 2], 60000: [10, 2] });
    expect(read(store, { periodMs: 1000 })).toEqual({ 0: [1, 1], 59000: [3, 2], 61000: [10, 2] });
  });

  it('tells series apart by all of their dimensions, whatever their order', () => {
    const { store } = createStore();
    store.record(datum({ dimensions: { A: '1', B: '2' } }));
    store.record(datum({ dimensions: { B: '2', A: '1' } }));
    store.record(datum({ dimensions: { A: '1' } }));

    expect(store.all().length).toBe(2);
  });

  it('leaves out values that are no numbers', () => {
    const { store } = createStore();
    store.record(datum({ values: [Number.NaN, 2, Number.POSITIVE_INFINITY] }));
    store.record(datum({ values: [] }));

    expect(read(store, {})).toEqual({ 0: [2, 1] });
  });

  it('keeps seconds for 15 minutes and minutes for 3 hours', () => {
    const { store, clock } = createStore();
    store.record(datum());

    clock.nowMs = T0 + 17 * MINUTE;
    expect(read(store, { periodMs: 1000 })).toEqual({});
    expect(read(store, {})).toEqual({ 0: [1, 1] });

    clock.nowMs = T0 + 182 * MINUTE;
    expect(store.all()).toEqual([]);
  });

  it('does not take what is older than 3 hours or more than 2 hours ahead', () => {
    const { store } = createStore();
    store.record(datum({ timestampMs: T0 - 181 * MINUTE }));
    store.record(datum({ timestampMs: T0 + 121 * MINUTE }));
    store.record(datum({ timestampMs: Number.NaN }));

    expect(store.all()).toEqual([]);
  });

  it('refuses new series beyond the bound, says so once, and goes on with those it has', () => {
    const { store, errors } = createStore({ maxSeries: 1 });
    store.record(datum());
    store.record(datum({ name: 'b' }));
    store.record(datum({ name: 'c' }));
    store.record(datum());

    expect(read(store, {})).toEqual({ 0: [2, 2] });
    expect(errors.map(String)).toEqual([expect.stringContaining('ns b is dropped')]);
  });

  it('has room again once a series has been forgotten', () => {
    const { store, clock } = createStore({ maxSeries: 1 });
    store.record(datum());
    clock.nowMs = T0 + 200 * MINUTE;
    store.record(datum({ name: 'b', timestampMs: clock.nowMs }));

    expect(store.all().map(({ name }) => name)).toEqual(['b']);
  });

  it('takes an empty bucket for nothing', () => {
    const { store } = createStore();
    store.recordBucket(METRIC, T0, createBucket());

    expect(store.find(METRIC)).toBeUndefined();
  });
});

describe('settling', () => {
  const LATE: Settling = { minMs: 30_000, maxMs: 30_000, correctedShare: 0, correctedAfterMs: 0 };

  it('shows a minute only after its end and its delay', () => {
    const { store } = createStore();
    store.record(datum());

    expect(read(store, { settling: LATE, nowMs: T0 + 89_999 })).toEqual({});
    expect(read(store, { settling: LATE, nowMs: T0 + 90_000 })).toEqual({ 0: [1, 1] });
  });

  it('shows a longer period as far as its minutes have settled', () => {
    const { store } = createStore();
    for (const minute of [0, 1, 2]) store.record(datum({ timestampMs: T0 + minute * MINUTE }));

    const seen = (nowMs: number) => read(store, { settling: LATE, nowMs, periodMs: 5 * MINUTE });
    expect(seen(T0 + 150_000)).toEqual({ 0: [2, 2] });
    expect(seen(T0 + 210_000)).toEqual({ 0: [3, 3] });
  });

  it('shows a period below a minute after its own end and its delay', () => {
    const { store } = createStore();
    store.record(datum({ timestampMs: T0 + 12_000 }));

    const seen = (nowMs: number) => read(store, { settling: LATE, nowMs, periodMs: 10_000 });
    expect(seen(T0 + 49_999)).toEqual({});
    expect(seen(T0 + 50_000)).toEqual({ 10000: [1, 1] });
  });

  it('shows half of a corrected minute first, and nothing of a single sample', () => {
    const settling = { ...LATE, correctedShare: 1, correctedAfterMs: 60_000 };
    const { store } = createStore();
    store.record(datum({ values: [4], counts: [5] }));
    store.record(datum({ timestampMs: T0 + MINUTE }));

    expect(read(store, { settling, nowMs: T0 + 149_999 })).toEqual({ 0: [8, 2] });
    expect(read(store, { settling, nowMs: T0 + 150_000 })).toEqual({ 0: [20, 5] });
    expect(read(store, { settling, nowMs: T0 + 210_000 })).toEqual({ 0: [20, 5], 60000: [1, 1] });
  });

  it('draws delays evenly, the same one whenever it is asked, and corrects the share it was told', () => {
    const settling = { minMs: 60_000, maxMs: 180_000, correctedShare: 0.2, correctedAfterMs: MINUTE };
    const choose = createSettling(settling, () => 0.25);
    const spans = Array.from({ length: 2000 }, (_, index) => ({
      seriesId: index % 20,
      minuteMs: T0 + Math.floor(index / 20) * MINUTE,
      endMs: 0,
    }));
    const shareOf = (visibility: string, nowMs: number): number =>
      spans.filter((span) => choose({ ...span, nowMs }) === visibility).length / spans.length;

    expect(shareOf('hidden', 59_999)).toBe(1);
    expect(shareOf('hidden', 120_000)).toBeCloseTo(0.5, 1);
    expect(shareOf('hidden', 150_000)).toBeCloseTo(0.25, 1);
    expect(shareOf('hidden', 180_000)).toBe(0);
    expect(shareOf('half', 180_000)).toBeCloseTo(0.1, 1);
    expect(shareOf('whole', 240_000)).toBe(1);
    expect(shareOf('hidden', 120_000)).toBe(shareOf('hidden', 120_000));
  });
});
