import { BoundedMap } from '../cache/bounded-map.ts';

const MAX_NAMES = 10_000;

/**
 * Which loads are loads again: of a model that had to make room. Many of them a minute are thrash, that is a worker with too
 * little memory for the models it is called for.
 */
export class Reloads {
  readonly #evicted = new BoundedMap<true>(MAX_NAMES);

  noteEvicted(name: string): void {
    this.#evicted.set(name, true);
  }

  /** @returns 1 where the model was evicted before, else 0 */
  countLoad(name: string): number {
    return this.#evicted.delete(name) ? 1 : 0;
  }
}
