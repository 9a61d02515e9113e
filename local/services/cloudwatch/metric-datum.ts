/** What is recorded at once for one metric. Dimensions are part of a metric's identity, all of them and no others. */
export interface MetricDatum {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** CloudWatch's unit, e.g. `Count`, `Milliseconds`; it does not tell metrics apart here. */
  readonly unit?: string;
  readonly timestampMs: number;
  readonly values: readonly number[];
  /** How often each value was seen; once unless given. */
  readonly counts?: readonly number[];
}

/** Takes what AWS services measure of themselves. */
export type RecordMetric = (datum: MetricDatum) => void;
