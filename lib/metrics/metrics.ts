/** Port. What happened, gathered in the environment and flushed in bulk: a metric per call would cost more than the call. */
export interface Metrics {
  /** Adds `n` (default 1) to a count. */
  count(name: string, n?: number): void;
  /** Notes one measured time, in microseconds as SageMaker's own metrics have it. */
  timeMicros(name: string, micros: number): void;
  /**
   * Writes what has been gathered, if the oldest of it is due. Called at the start and the end of calls: an
   * environment is frozen in between, so no timer would fire.
   */
  flushIfDue(): void;
}
