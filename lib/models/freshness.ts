import { BoundedMap } from '../cache/bounded-map.ts';
import type { Clock } from '../clock.ts';

const MAX_NAMES = 50_000;

/** When the store was last asked about a model, so that it is asked at most once in `ttlMs`. */
export class Freshness {
  readonly #ttlMs: number;
  readonly #now: Clock;
  readonly #checkedMs = new BoundedMap<number>(MAX_NAMES);

  constructor({ ttlMs, now }: { readonly ttlMs: number; readonly now: Clock }) {
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  /** @param atMs when it was asked, which an environment that was frozen meanwhile may hear of much later */
  note(name: string, atMs: number = this.#now()): void {
    this.#checkedMs.set(name, atMs);
  }

  checkedMs(name: string): number | undefined {
    return this.#checkedMs.get(name);
  }

  isFresh(name: string): boolean {
    const checkedMs = this.#checkedMs.get(name);
    return checkedMs !== undefined && this.#now() - checkedMs < this.#ttlMs;
  }
}
