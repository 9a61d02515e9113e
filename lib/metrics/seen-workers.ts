const WINDOW_MS = 60_000;
const MAX_WORKERS = 2000;

/**
 * How many workers there are, as far as answers tell: SageMaker's InvocationsPerInstance is a sum of 1 / instances, and
 * nobody else can tell a router their number without a request.
 */
export class SeenWorkers {
  readonly #seenMs = new Map<string, number>();
  #prunedMs = Number.NEGATIVE_INFINITY;

  /** @returns the workers that have answered within the last minute, this one included */
  note(worker: string, nowMs: number): number {
    this.#seenMs.delete(worker);
    this.#seenMs.set(worker, nowMs);
    if (nowMs - this.#prunedMs >= 1000 || this.#seenMs.size > MAX_WORKERS) this.#prune(nowMs);
    return this.#seenMs.size;
  }

  /** The map is in the order of the last answers. */
  #prune(nowMs: number): void {
    this.#prunedMs = nowMs;
    for (const [worker, seenMs] of this.#seenMs) {
      if (nowMs - seenMs < WINDOW_MS && this.#seenMs.size <= MAX_WORKERS) return;
      this.#seenMs.delete(worker);
    }
  }
}
