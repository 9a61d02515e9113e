/** Port. Loads that take long, known to all workers: so that one of them loads, and the others say when to come back. */
export interface Loads {
  /**
   * Says that this worker now loads a model.
   * @returns nothing when it may, or when another worker does, when that is expected to end (epoch milliseconds)
   */
  begin(load: {
    readonly model: string;
    readonly nowMs: number;
    readonly expectedMs: number;
  }): Promise<{ readonly expectedEndMs: number } | undefined>;
  /** Says that it is over, and how long it took; `undefined` where it failed. */
  end(load: { readonly model: string; readonly tookMs: number | undefined }): Promise<void>;
  /** What is known of a model's loads: how long the last took, and when one that is on is expected to end. */
  find(model: string): Promise<{ readonly lastMs?: number; readonly expectedEndMs?: number } | undefined>;
}
