export interface MetricQuery {
  readonly namespace: string;
  readonly name: string;
  /** All of the metric's dimensions. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: 'Sum' | 'SampleCount' | 'Maximum';
}

/** The largest of many metrics that differ in one dimension. */
export interface TopQuery {
  readonly namespace: string;
  readonly name: string;
  /** The dimensions that they share. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly by: string;
  readonly limit: number;
}

export interface Window {
  /** Epoch milliseconds, whole periods. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly periodMs: number;
}

/** By the start of the period, in epoch milliseconds. A period with no point is absent. */
export type Points = ReadonlyMap<number, number>;

/** Port. CloudWatch, which bills each metric that is read ($0.01 per 1,000). */
export interface MetricReader {
  /** @returns the points of each query, in the order of the queries */
  read(queries: readonly MetricQuery[], window: Window): Promise<readonly Points[]>;
  /** @returns sums by the value of the dimension, of those with the largest */
  readTop(query: TopQuery, window: Window): Promise<ReadonlyMap<string, Points>>;
}
