/**
 * A map of at most `max` keys: the one set longest ago goes first. (lru-cache would do, but sets aside arrays for `max` keys
 * when it is made: 5 ms of a start for 50,000.)
 */
export class BoundedMap<V> {
  readonly #max: number;
  readonly #values = new Map<string, V>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    // A Map is in the order in which its keys came: taking one out puts it last.
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= this.#max) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      return;
    }
  }

  delete(key: string): boolean {
    return this.#values.delete(key);
  }
}
