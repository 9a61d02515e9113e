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
}

/** Port. The functions' logs, where they are kept. */
export interface LogSource {
  /** Lines since a time, in the order of their times; the last `limit` of them. */
  read(query: LogQuery, limit: number): Promise<readonly LogLine[]>;
}
