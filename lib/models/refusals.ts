import { BoundedMap } from '../cache/bounded-map.ts';
import type { Clock } from '../clock.ts';
import type { ServingError } from '../errors.ts';

const MAX_NAMES = 1000;

/** After so many times the time of an answer the artifact is tried anew: what was lacking may have been something else. */
const TRY_AGAIN_AFTER = 6;

interface Refusal {
  readonly error: ServingError;
  readonly etag: string;
  readonly firstMs: number;
  readonly checkedMs: number;
}

/**
 * Artifacts that could not be served, for a short time: they need not be fetched for every call. For `ttlMs` they are
 * answered without a request; for some times that the store is asked whether the object has changed, which costs a
 * request but no download.
 */
export class Refusals {
  readonly #ttlMs: number;
  readonly #now: Clock;
  readonly #known = new BoundedMap<Refusal>(MAX_NAMES);

  constructor({ ttlMs, now }: { readonly ttlMs: number; readonly now: Clock }) {
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  remember(name: string, etag: string, error: ServingError): void {
    const nowMs = this.#now();
    this.#known.set(name, { error, etag, firstMs: nowMs, checkedMs: nowMs });
  }

  /** The store has been asked, and the object is the same. */
  renew(name: string): void {
    const refusal = this.#known.get(name);
    if (refusal !== undefined) this.#known.set(name, { ...refusal, checkedMs: this.#now() });
  }

  /** @returns what is known, and whether it may be answered without asking the store. */
  find(
    name: string,
  ): { readonly error: ServingError; readonly etag: string; readonly isFresh: boolean } | undefined {
    const refusal = this.#known.get(name);
    if (refusal === undefined) return undefined;
    const nowMs = this.#now();
    if (nowMs - refusal.firstMs >= TRY_AGAIN_AFTER * this.#ttlMs) {
      this.#known.delete(name);
      return undefined;
    }
    return { error: refusal.error, etag: refusal.etag, isFresh: nowMs - refusal.checkedMs < this.#ttlMs };
  }

  forget(name: string): void {
    this.#known.delete(name);
  }
}
