import type { Clock } from '../../lib/clock.ts';
import type { MetricQuery, MetricReader, Points, TopQuery, Window } from '../../lib/scaling/metric-reader.ts';

const MINUTE_MS = 60_000;

export interface LateMetrics extends MetricReader {
  add(name: string, dimensions: Readonly<Record<string, string>>, value: number, statistic?: string): void;
  /** While set, CloudWatch gets nothing and says nothing new: points of these times stay away. */
  isSilent: boolean;
  /** Metrics read so far: what is billed. */
  readonly read_: () => number;
}

/** The MetricReader port with CloudWatch's lag: a minute is seen 60 to 180 s after its end, at first sometimes by half. */
export const lateMetrics = (now: Clock): LateMetrics => {
  const series = new Map<string, Map<number, number>>();
  let read = 0;
  const keyOf = (name: string, dimensions: Readonly<Record<string, string>>, statistic: string): string =>
    `${name} ${statistic} ${JSON.stringify(Object.entries(dimensions).sort())}`;

  const seen = (key: string, { fromMs, toMs }: Window): Points => {
    const points = new Map<number, number>();
    for (const [minute, value] of series.get(key) ?? []) {
      const startMs = minute * MINUTE_MS;
      const seenAtMs = startMs + MINUTE_MS + lagMs(key, minute);
      if (startMs < fromMs || startMs >= toMs || now() < seenAtMs) continue;
      const isPartial = hash(`half ${key} ${minute}`) % 10 === 0 && now() < seenAtMs + 50_000;
      points.set(startMs, isPartial ? value / 2 : value);
    }
    return points;
  };

  return {
    isSilent: false,
    read_: () => read,
    add(name, dimensions, value, statistic = 'Sum') {
      if (this.isSilent) return;
      const key = keyOf(name, dimensions, statistic);
      const points = series.get(key) ?? new Map<number, number>();
      series.set(key, points);
      const minute = Math.floor(now() / MINUTE_MS);
      const before = points.get(minute) ?? 0;
      points.set(minute, statistic === 'Maximum' ? Math.max(before, value) : before + value);
    },
    async read(queries: readonly MetricQuery[], window) {
      read += queries.length;
      return queries.map(({ name, dimensions, statistic }) =>
        seen(keyOf(name, dimensions, statistic), window),
      );
    },
    async readTop({ name, dimensions, by, limit }: TopQuery, window) {
      const found: [string, Points, number][] = [];
      for (const key of series.keys()) {
        if (!key.startsWith(`${name} Sum `)) continue;
        const all = new Map(JSON.parse(key.slice(`${name} Sum `.length)) as [string, string][]);
        const value = all.get(by);
        const isShared = Object.entries(dimensions).every(([each, of]) => all.get(each) === of);
        if (value === undefined || !isShared || all.size !== Object.keys(dimensions).length + 1) continue;
        const points = seen(key, window);
        if (points.size === 0) continue;
        found.push([value, points, [...points.values()].reduce((total, each) => total + each, 0)]);
      }
      read += found.length;
      const top = found.sort((a, b) => b[2] - a[2]).slice(0, limit);
      return new Map(top.map(([value, points]) => [value, points]));
    },
  };
};

/** 60 to 180 s: the canary has a lag of its own like all others. */
const lagMs = (key: string, minute: number): number => 60_000 + (hash(`${key} ${minute}`) % 120_000);

const hash = (text: string): number => {
  let value = 7;
  for (let index = 0; index < text.length; index++) value = (value * 31 + text.charCodeAt(index)) % 1_000_003;
  return value;
};
