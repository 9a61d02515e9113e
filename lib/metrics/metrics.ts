/**
 * Port. What happened, gathered in the environment and flushed in bulk: a metric per call would cost more than the call.
 * Names and units are those of SageMaker's metrics for multi-model endpoints (CloudWatch, namespace AWS/SageMaker).
 */
export interface Metrics {
  /** Adds `n` (default 1) to a sum, of which one value is flushed. */
  count(name: string, n?: number): void;
  /** Notes one value, e.g. 0 or 1 of a metric whose average matters. */
  sample(name: string, value: number): void;
  /** Notes one measured time, in microseconds as SageMaker's own metrics have it. */
  timeMicros(name: string, micros: number): void;
  /**
   * Writes what has been gathered, if the oldest of it is due. Called at the start and the end of calls: an
   * environment is frozen in between, so no timer would fire.
   */
  flushIfDue(): void;
}
