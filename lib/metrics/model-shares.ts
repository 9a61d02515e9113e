/** What a worker did for one model in a window. */
export interface ModelShare {
  readonly model: string;
  readonly calls: number;
  readonly busyMs: number;
}

export interface ModelSharesOptions {
  readonly windowMs: number;
  /** Of a slot's worker all models count: the scaler must know when one falls silent. */
  readonly namesAll?: boolean;
}

interface Counter {
  readonly model: string;
  busyMs: number;
  calls: number;
  /** Time that it fills: a call keeps a worker from others for a tenth of a second at least (R6). */
  filledMs: number;
  /** What it may have been given that was another model's. */
  foreignMs: number;
  foreignCalls: number;
  foreignFilledMs: number;
}

/** Beyond ten calls a second a worker takes none (Lambda's bound for provisioned concurrency). */
const LEAST_CALL_MS = 100;

/** So many models are counted at once; whichever takes more than a 64th of the time is among them (Metwally's Space-Saving). */
const COUNTERS = 64;

/**
 * A model has a real share of a worker with a tenth of its busy time, and calls enough that this is no chance: 20, or 3 that
 * filled a fifth of the window, for models whose calls are long. So a worker speaks of 10 models at most, and where all of
 * 100,000 models are called alike of none: a metric per model and month is $0.30.
 */
const LEAST_SHARE = 0.1;
const LEAST_CALLS = 20;
const LEAST_LONG_CALLS = 3;
const LEAST_LONG_SHARE_OF_WINDOW = 0.2;

/** Which models a worker is busy with, in memory that does not grow with their number. */
export class ModelShares {
  readonly #windowMs: number;
  readonly #namesAll: boolean;
  readonly #counters = new Map<string, Counter>();
  #totalMs = 0;
  #startMs: number | undefined;
  #lastMs = 0;

  constructor({ windowMs, namesAll = false }: ModelSharesOptions) {
    this.#windowMs = windowMs;
    this.#namesAll = namesAll;
  }

  note(model: string, busyMs: number, nowMs: number): void {
    this.#startMs ??= nowMs;
    this.#lastMs = nowMs;
    const filledMs = Math.max(busyMs, LEAST_CALL_MS);
    this.#totalMs += filledMs;
    const counter = this.#counters.get(model) ?? this.#takeCounter(model);
    counter.busyMs += busyMs;
    counter.filledMs += filledMs;
    counter.calls += 1;
  }

  /** @returns the real shares of a window that is over, with the time of its last call; begins a new one */
  takeDue(nowMs: number): { readonly shares: readonly ModelShare[]; readonly atMs: number } | undefined {
    if (this.#startMs === undefined || nowMs - this.#startMs < this.#windowMs) return undefined;
    const shares = [...this.#counters]
      .map(([model, counter]) => ({
        share: {
          model,
          calls: counter.calls - counter.foreignCalls,
          busyMs: counter.busyMs - counter.foreignMs,
        },
        filledMs: counter.filledMs - counter.foreignFilledMs,
      }))
      .filter(({ share, filledMs }) => this.#namesAll || this.#isReal(share, filledMs))
      .map(({ share }) => share);
    const atMs = this.#lastMs;
    this.#counters.clear();
    this.#totalMs = 0;
    this.#startMs = undefined;
    return { shares, atMs };
  }

  #isReal({ calls, busyMs }: ModelShare, filledMs: number): boolean {
    if (filledMs < LEAST_SHARE * this.#totalMs) return false;
    if (calls >= LEAST_CALLS) return true;
    return calls >= LEAST_LONG_CALLS && busyMs >= LEAST_LONG_SHARE_OF_WINDOW * this.#windowMs;
  }

  /** The model that was least busy makes room; what it had is noted as not the newcomer's. */
  #takeCounter(model: string): Counter {
    let [foreignMs, foreignCalls, foreignFilledMs] = [0, 0, 0];
    if (this.#counters.size >= COUNTERS) {
      const least = this.#leastBusy();
      this.#counters.delete(least.model);
      [foreignMs, foreignCalls, foreignFilledMs] = [least.busyMs, least.calls, least.filledMs];
    }
    const counter = {
      model,
      busyMs: foreignMs,
      calls: foreignCalls,
      filledMs: foreignFilledMs,
      foreignMs,
      foreignCalls,
      foreignFilledMs,
    };
    this.#counters.set(model, counter);
    return counter;
  }

  /** Without a list of all: where many models are called alike it is asked for at nearly each call. */
  #leastBusy(): Counter {
    let least: Counter | undefined;
    for (const counter of this.#counters.values()) {
      if (least === undefined || counter.filledMs < least.filledMs) least = counter;
    }
    return least as Counter;
  }
}
