import type { Clock } from '../../../lib/clock.ts';
import { addValue, type Bucket, createBucket, mergeBucket } from './bucket.ts';
import type { MetricDatum } from './metric-datum.ts';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
const KEEP_SECONDS_MS = 15 * MINUTE_MS;
const KEEP_MINUTES_MS = 180 * MINUTE_MS;
/** PutMetricData takes timestamps up to two hours ahead. */
const MAX_AHEAD_MS = 120 * MINUTE_MS;
const MAX_SERIES = 100_000;

export type Metric = Pick<MetricDatum, 'namespace' | 'name' | 'dimensions'>;

export interface Minute {
  readonly whole: Bucket;
  /** By the second's start; dropped after a quarter of an hour. */
  seconds: Map<number, Bucket> | undefined;
}

export interface Series extends Metric {
  readonly id: number;
  /** By the minute's start, in ms since the epoch. */
  readonly minutes: Map<number, Minute>;
}

export interface MetricStoreOptions {
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
  readonly maxSeries?: number;
}

/**
 * What was recorded, by series: seconds for the last 15 minutes, minutes for the last 3 hours, nothing older. A series
 * without a minute left is forgotten. A new series beyond the bound is refused, which is reported once.
 */
export class MetricStore {
  readonly #now: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #maxSeries: number;
  /** By namespace and name, then by dimensions. */
  readonly #series = new Map<string, Map<string, Series>>();
  #seriesCount = 0;
  #nextId = 0;
  #sweptMs = Number.NEGATIVE_INFINITY;
  #hasRefused = false;

  constructor({ now, onError, maxSeries = MAX_SERIES }: MetricStoreOptions) {
    this.#now = now;
    this.#onError = onError;
    this.#maxSeries = maxSeries;
  }

  record({ values, counts, timestampMs, ...metric }: MetricDatum): void {
    const bucket = createBucket();
    for (const [index, value] of values.entries()) {
      const count = counts?.[index] ?? 1;
      if (Number.isFinite(value) && Number.isFinite(count) && count > 0) addValue(bucket, value, count);
    }
    this.recordBucket(metric, timestampMs, bucket);
  }

  recordBucket(metric: Metric, timestampMs: number, bucket: Bucket): void {
    const nowMs = this.#now();
    this.#sweepIfDue(nowMs);
    const isKept = timestampMs > nowMs - KEEP_MINUTES_MS && timestampMs <= nowMs + MAX_AHEAD_MS;
    const series = isKept && bucket.count > 0 ? this.#findOrCreate(metric) : undefined;
    if (series === undefined) return;

    const minute = minuteOf(series, timestampMs, nowMs);
    mergeBucket(minute.whole, bucket);
    if (minute.seconds === undefined) return;
    const secondMs = floorTo(timestampMs, SECOND_MS);
    const second = minute.seconds.get(secondMs) ?? createBucket();
    minute.seconds.set(secondMs, second);
    mergeBucket(second, bucket);
  }

  find(metric: Metric): Series | undefined {
    this.#sweepIfDue(this.#now());
    return this.#series.get(nameKey(metric))?.get(dimensionsKey(metric));
  }

  /** Every series of a name, whatever its dimensions. */
  named(metric: Pick<Metric, 'namespace' | 'name'>): readonly Series[] {
    this.#sweepIfDue(this.#now());
    return [...(this.#series.get(nameKey(metric))?.values() ?? [])];
  }

  all(): readonly Series[] {
    this.#sweepIfDue(this.#now());
    return [...this.#series.values()].flatMap((named) => [...named.values()]);
  }

  #findOrCreate(metric: Metric): Series | undefined {
    const named = this.#series.get(nameKey(metric)) ?? new Map<string, Series>();
    const key = dimensionsKey(metric);
    const known = named.get(key);
    if (known !== undefined) return known;
    if (this.#seriesCount >= this.#maxSeries) return this.#refuse(metric);

    const { namespace, name, dimensions } = metric;
    const series = { id: this.#nextId++, namespace, name, dimensions: { ...dimensions }, minutes: new Map() };
    this.#seriesCount++;
    this.#series.set(nameKey(metric), named.set(key, series));
    return series;
  }

  #refuse({ namespace, name }: Metric): undefined {
    if (!this.#hasRefused) {
      const advice = 'look for a dimension with too many values';
      this.#onError(
        new Error(`${this.#maxSeries} metrics are kept, no more: ${namespace} ${name} is dropped; ${advice}`),
      );
    }
    this.#hasRefused = true;
    return undefined;
  }

  #sweepIfDue(nowMs: number): void {
    if (nowMs - this.#sweptMs < MINUTE_MS) return;
    this.#sweptMs = nowMs;
    for (const [name, named] of this.#series) {
      for (const [key, series] of named) {
        forgetOld(series, nowMs);
        if (series.minutes.size === 0 && named.delete(key)) this.#seriesCount--;
      }
      if (named.size === 0) this.#series.delete(name);
    }
  }
}

const minuteOf = ({ minutes }: Series, timestampMs: number, nowMs: number): Minute => {
  const minuteMs = floorTo(timestampMs, MINUTE_MS);
  const known = minutes.get(minuteMs);
  if (known !== undefined) return known;
  const hasSeconds = minuteMs + MINUTE_MS > nowMs - KEEP_SECONDS_MS;
  const minute = { whole: createBucket(), seconds: hasSeconds ? new Map<number, Bucket>() : undefined };
  minutes.set(minuteMs, minute);
  return minute;
};

const forgetOld = ({ minutes }: Series, nowMs: number): void => {
  for (const [minuteMs, minute] of minutes) {
    const endMs = minuteMs + MINUTE_MS;
    if (endMs <= nowMs - KEEP_MINUTES_MS) minutes.delete(minuteMs);
    else if (endMs <= nowMs - KEEP_SECONDS_MS) minute.seconds = undefined;
  }
};

export const floorTo = (timeMs: number, stepMs: number): number => Math.floor(timeMs / stepMs) * stepMs;

const nameKey = ({ namespace, name }: Pick<Metric, 'namespace' | 'name'>): string =>
  JSON.stringify([namespace, name]);

const dimensionsKey = ({ dimensions }: Metric): string =>
  JSON.stringify(Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1)));
