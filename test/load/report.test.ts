import { describe, expect, it } from 'vitest';
import { progressLine } from '../../load/progress.ts';
import { createRecorder, type Figures } from '../../load/recorder.ts';
import { createReport, type PatternRun, reportText } from '../../load/report.ts';

const conditions = {
  url: 'http://127.0.0.1:3000/endpoints/e/invocations',
  models: 100,
  pace: { kind: 'rate', callsPerSecond: 50, maxInFlight: 1000 } as const,
  seconds: 2,
};
const latencyMs = { p50: 2, p90: 3, p99: 9.96, max: 12 };
const figures = (overrides: Partial<Figures> = {}): Figures => ({
  calls: 100,
  answered: 100,
  succeeded: 100,
  errors: {},
  latencyMs,
  skipped: 0,
  startedLateMs: { p50: 0, p90: 0.1, p99: 0.4, max: 1 },
  groups: [],
  ...overrides,
});
const run = (overrides: Partial<PatternRun> = {}): PatternRun => ({
  pattern: 'even',
  elapsedSeconds: 2,
  figures: figures(),
  ...overrides,
});

describe('the report', () => {
  it('is a small table', () => {
    const counts = { calls: 95, answered: 95, succeeded: 95, errors: {}, latencyMs };
    const others = { calls: 5, answered: 5, succeeded: 3, errors: { 429: 2 }, latencyMs: null };
    const groups = [
      { group: 'hot model', ...counts },
      { group: 'others', ...others },
    ] as const;
    const hot = figures({ succeeded: 98, errors: { 429: 2 }, groups });

    expect(reportText(createReport(conditions, [run({ pattern: 'hot', figures: hot })]))).toBe(
      `
http://127.0.0.1:3000/endpoints/e/invocations, 100 models, 50 calls/s offered, 2 s each

pattern      seconds  calls  calls/s  good/s  p50 ms  p90   p99   max  errors
hot              2.0    100     50.0    49.0     2.0  3.0  10.0  12.0  429: 2
  hot model              95     47.5    47.5     2.0  3.0  10.0  12.0  none
  others                  5      2.5     1.5       -    -     -     -  429: 2`.trimStart(),
    );
  });

  it('says what was skipped, and that the generator was late', () => {
    const text = reportText(
      createReport(conditions, [
        run({ figures: figures({ skipped: 7, startedLateMs: { p50: 1, p90: 4, p99: 30, max: 41 } }) }),
      ]),
    );

    expect(text).toContain('even: skipped 7 calls, as too many were in flight');
    expect(text).toContain('even: calls started up to 41.0 ms late (p99 30.0)');
  });

  it('counts answers of any status as throughput, and only successes as goodput', () => {
    const { runs } = createReport(conditions, [
      run({ elapsedSeconds: 4, figures: figures({ answered: 90, succeeded: 60 }) }),
    ]);

    expect(runs[0]).toMatchObject({ throughputPerSecond: 22.5, goodputPerSecond: 15 });
  });

  it('of several patterns says how near they are', () => {
    const report = createReport(conditions, [
      run(),
      run({ pattern: 'hot', figures: figures({ answered: 80, succeeded: 50 }) }),
      run({ pattern: 'few' }),
    ]);

    expect(report).toMatchObject({ throughputRatio: 0.8, goodputRatio: 0.5 });
    expect(reportText(report)).toContain('slowest pattern / fastest: 0.800 of calls/s, 0.500 of good/s');
  });

  it.each([
    [[run()]],
    [
      [run(), run({ figures: figures({ answered: 0, succeeded: 0 }) })].map((one) => ({
        ...one,
        figures: figures({ answered: 0, succeeded: 0 }),
      })),
    ],
  ])('makes no ratio of one pattern, or of nothing', (runs) => {
    expect(createReport(conditions, runs)).toMatchObject({ throughputRatio: null, goodputRatio: null });
  });

  it('survives JSON whole', () => {
    const report = createReport(conditions, [run({ figures: figures({ latencyMs: null }) })]);

    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe('the recorder', () => {
  it('counts by group, keeps failures out of the latencies, and puts the others last', () => {
    const recorder = createRecorder();
    for (let call = 0; call < 4; call++) recorder.started(0);

    recorder.ended('others', 8, { kind: 'success', label: '200' });
    recorder.ended('hot model', 1, { kind: 'failure', label: '429' });
    recorder.ended('hot model', 60_000, { kind: 'lost', label: 'timeout' });

    expect(recorder.inFlight()).toBe(1);
    const seen = recorder.figures();
    expect(seen).toMatchObject({ calls: 3, answered: 2, succeeded: 1, errors: { 429: 1, timeout: 1 } });
    expect(seen.latencyMs?.max).toBeCloseTo(8, 1);
    expect(seen.groups.map(({ group, calls }) => [group, calls])).toEqual([
      ['hot model', 2],
      ['others', 1],
    ]);
  });

  it('gives percentiles to three digits, however wide they spread', () => {
    const recorder = createRecorder();
    for (let ms = 1; ms <= 1000; ms++) recorder.ended('all models', ms, { kind: 'success', label: '200' });

    const { p50 = 0, p90 = 0, p99 = 0, max = 0 } = recorder.figures().latencyMs ?? {};
    for (const [seen, meant] of [
      [p50, 500],
      [p90, 900],
      [p99, 990],
      [max, 1000],
    ] as const) {
      expect(Math.abs(seen - meant) / meant).toBeLessThan(0.001);
    }
  });

  it('starts each interval afresh', () => {
    const recorder = createRecorder();
    recorder.started(0);
    recorder.ended('all models', 5, { kind: 'failure', label: '429' });

    expect(recorder.takeInterval()).toMatchObject({ answered: 1, failed: 1 });
    expect(recorder.takeInterval()).toEqual({ answered: 0, latencyMs: null, failed: 1, inFlight: 0 });
  });
});

describe('the line of progress', () => {
  it('shows what is now', () => {
    const now = { elapsedSeconds: 12.2, sinceSeconds: 2, answered: 100, failed: 3, inFlight: 8 };

    expect(progressLine('hot', { ...now, latencyMs })).toBe(
      'hot 12 s  50 calls/s  p50 2.0 ms  p99 10.0 ms  3 errors  8 in flight',
    );
    expect(progressLine('hot', { ...now, latencyMs: null })).toContain('p50 - ms');
  });
});
