import type { Pace } from './arguments.ts';
import type { LatencySummary } from './latencies.ts';
import type { PatternName } from './patterns.ts';
import type { Counts, Figures } from './recorder.ts';

export interface PatternRun {
  readonly pattern: PatternName;
  /** Until the last answer. */
  readonly elapsedSeconds: number;
  readonly figures: Figures;
}

export interface Report {
  readonly url: string;
  readonly models: number;
  readonly pace: Pace;
  readonly seconds: number;
  readonly runs: readonly (Figures & {
    readonly pattern: PatternName;
    readonly elapsedSeconds: number;
    /** Answers, whatever their status. */
    readonly throughputPerSecond: number;
    /** Successful answers. */
    readonly goodputPerSecond: number;
  })[];
  /** Slowest pattern / fastest; null unless several ran. */
  readonly throughputRatio: number | null;
  readonly goodputRatio: number | null;
}

export const createReport = (
  conditions: Pick<Report, 'url' | 'models' | 'pace' | 'seconds'>,
  patternRuns: readonly PatternRun[],
): Report => {
  const runs = patternRuns.map(({ pattern, elapsedSeconds, figures }) => ({
    pattern,
    elapsedSeconds: round(elapsedSeconds, 3),
    throughputPerSecond: round(figures.answered / elapsedSeconds, 1),
    goodputPerSecond: round(figures.succeeded / elapsedSeconds, 1),
    ...figures,
  }));
  return {
    ...conditions,
    runs,
    throughputRatio: ratio(runs.map(({ throughputPerSecond }) => throughputPerSecond)),
    goodputRatio: ratio(runs.map(({ goodputPerSecond }) => goodputPerSecond)),
  };
};

const HEADER = ['pattern', 'seconds', 'calls', 'calls/s', 'good/s', 'p50 ms', 'p90', 'p99', 'max', 'errors'];

/** The table for people; the closing lines only where there is something to say. */
export const reportText = (report: Report): string =>
  [
    `${report.url}, ${report.models} models, ${paceText(report.pace)}, ${report.seconds} s each`,
    '',
    ...table([HEADER, ...report.runs.flatMap(rowsOf)]),
    '',
    ...report.runs.flatMap(skippedText),
    ...report.runs.flatMap(lateText),
    ...ratioText(report),
  ]
    .join('\n')
    .trimEnd();

const paceText = (pace: Pace): string =>
  pace.kind === 'rate' ? `${pace.callsPerSecond} calls/s offered` : `${pace.connections} connections`;

const rowsOf = (run: Report['runs'][number]): readonly (readonly string[])[] => [
  [
    run.pattern,
    run.elapsedSeconds.toFixed(1),
    String(run.calls),
    run.throughputPerSecond.toFixed(1),
    run.goodputPerSecond.toFixed(1),
    ...latencyCells(run.latencyMs),
    errorsText(run),
  ],
  ...(run.groups.length < 2 ? [] : run.groups).map((counts) => [
    `  ${counts.group}`,
    '',
    String(counts.calls),
    (counts.answered / run.elapsedSeconds).toFixed(1),
    (counts.succeeded / run.elapsedSeconds).toFixed(1),
    ...latencyCells(counts.latencyMs),
    errorsText(counts),
  ]),
];

const latencyCells = (latencyMs: LatencySummary | null): readonly string[] =>
  latencyMs === null
    ? ['-', '-', '-', '-']
    : [latencyMs.p50, latencyMs.p90, latencyMs.p99, latencyMs.max].map((ms) => ms.toFixed(1));

const errorsText = ({ errors }: Counts): string =>
  Object.entries(errors)
    .map(([label, count]) => `${label}: ${count}`)
    .join(', ') || 'none';

const skippedText = ({ pattern, skipped }: Report['runs'][number]): readonly string[] =>
  skipped === 0 ? [] : [`${pattern}: skipped ${skipped} calls, as too many were in flight`];

/** Below this the generator's own lateness tells nothing. */
const NOTABLE_LATE_MS = 5;

const lateText = ({ pattern, startedLateMs }: Report['runs'][number]): readonly string[] =>
  startedLateMs === null || startedLateMs.p99 < NOTABLE_LATE_MS
    ? []
    : [
        `${pattern}: calls started up to ${startedLateMs.max.toFixed(1)} ms late (p99 ${startedLateMs.p99.toFixed(1)}), ` +
          'which their latencies include: this generator was busy',
      ];

const ratioText = ({ throughputRatio, goodputRatio }: Report): readonly string[] =>
  throughputRatio === null || goodputRatio === null
    ? []
    : [
        `slowest pattern / fastest: ${throughputRatio.toFixed(3)} of calls/s, ${goodputRatio.toFixed(3)} of good/s`,
      ];

const table = (rows: readonly (readonly string[])[]): readonly string[] => {
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isLeft = (column: number): boolean => column === 0 || column === HEADER.length - 1;
  return rows.map((row) =>
    row
      .map((cell, column) =>
        isLeft(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
};

const ratio = (values: readonly number[]): number | null =>
  values.length < 2 || Math.max(...values) === 0 ? null : round(Math.min(...values) / Math.max(...values), 3);

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
