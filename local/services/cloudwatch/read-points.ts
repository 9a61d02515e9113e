import { type Bucket, createBucket, halveBucket, mergeBucket } from './bucket.ts';
import { floorTo, MINUTE_MS, type Series } from './metric-store.ts';
import type { ChooseVisibility } from './settling.ts';

export interface ReadRange {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  readonly periodMs: number;
  /** As of when: what had not settled by then is left out. */
  readonly nowMs: number;
}

/** Buckets by the start of their period. */
export type Points = Map<number, Bucket>;

/**
 * What is visible of a series: of whole minutes each minute settles by itself, so that a longer period grows; a
 * shorter period settles by its own end. Periods below a minute are absent once only the minutes are kept.
 */
export const readPoints = (series: Series, range: ReadRange, chooseVisibility: ChooseVisibility): Points => {
  const { startMs, endMs, periodMs, nowMs } = range;
  const firstMs = floorTo(startMs, periodMs);
  const points: Points = new Map();
  for (const [spanMs, bucket] of spansOf(series, range)) {
    const timeMs = floorTo(spanMs, periodMs);
    if (timeMs < firstMs || timeMs >= endMs) continue;
    const minuteMs = floorTo(spanMs, MINUTE_MS);
    const spanEndMs = spanMs + Math.min(periodMs, MINUTE_MS);
    const visibility = chooseVisibility({ seriesId: series.id, minuteMs, endMs: spanEndMs, nowMs });
    const shown = visibility === 'half' ? halveBucket(bucket) : bucket;
    if (visibility !== 'hidden' && shown.count > 0) mergePoint(points, timeMs, shown);
  }
  return points;
};

/** The samples in steps that settle at once: minutes, or periods below a minute. */
const spansOf = (series: Series, range: ReadRange): Iterable<readonly [number, Bucket]> => {
  const { periodMs, startMs, endMs } = range;
  if (periodMs >= MINUTE_MS) return [...series.minutes].map(([timeMs, { whole }]) => [timeMs, whole]);
  const spans: Points = new Map();
  for (const [minuteMs, { seconds }] of series.minutes) {
    if (seconds === undefined || minuteMs + MINUTE_MS <= startMs || minuteMs >= endMs) continue;
    for (const [secondMs, bucket] of seconds) mergePoint(spans, floorTo(secondMs, periodMs), bucket);
  }
  return spans;
};

export const mergePoint = (points: Points, timeMs: number, bucket: Bucket): void => {
  const point = points.get(timeMs) ?? createBucket();
  points.set(timeMs, point);
  mergeBucket(point, bucket);
};
