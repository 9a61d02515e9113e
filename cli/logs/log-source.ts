/** A line as a function wrote it. */
export interface LogLine {
  /** Of the function without what all of them begin with: `router`, `cold-00`. */
  readonly functionName: string;
  /** Epoch milliseconds; of a line that has no time of its own, that of the one before. */
  readonly atMs: number;
  readonly text: string;
}

export interface LogQuery {
  /** Epoch milliseconds. */
  readonly sinceMs: number;
  /** All of them when absent. */
  readonly functionName?: string;
  /** All lines when absent. */
  readonly isWanted?: (line: LogLine) => boolean;
}

export interface LogLines {
  /** In the order of their times. */
  readonly lines: readonly LogLine[];
  /** There was more than a source reads at a time: lines are missing. */
  readonly isCut: boolean;
}

/** Port. The functions' logs, where they are kept. */
export interface LogSource {
  open(query: LogQuery): LogReader;
  /** The functions that have a log. */
  functions(): Promise<readonly string[]>;
  /** How long to wait for more: less would be of no use, or more than the source bears. */
  readonly followEveryMs: number;
}

/** What is wanted of the logs, from a time on; it remembers what it has given. */
export interface LogReader {
  /** The last `limit` lines that are there. To be called first, and once. */
  last(limit: number): Promise<LogLines>;
  /** Those that have come since. */
  more(): Promise<LogLines>;
}

export const inOrder = (lines: readonly LogLine[]): readonly LogLine[] =>
  lines.toSorted((a, b) => a.atMs - b.atMs);

/**
 * What may follow the common beginning of the functions' names: `router`, `cold-00`. The stage `dev` has no share in
 * `dev-eu-router`, which is a function of the stage `dev-eu`.
 */
export const isFunctionName = (text: string): boolean => /^[a-z]+(-\d+)?$/.test(text);
