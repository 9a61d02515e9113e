export interface GreedyDualOptions<V> {
  readonly maxBytes: number;
  /** What is in use is never evicted. */
  readonly isPinned: (value: V) => boolean;
  /** Told of each value that went to make room; not of those that were taken out or replaced. */
  readonly onEvict: (name: string, value: V) => void;
}

export interface Weight {
  readonly bytes: number;
  /** What it takes to get the value again, e.g. in milliseconds. */
  readonly cost: number;
}

/**
 * Uses beyond this count no more: without a bound, a model that was called a thousand times last week outlasts those of
 * today. Of 3, 6, 12, 24 and none, 6 and 12 kept the gain of steady traffic and lost least where popularity drifts.
 */
const MAX_USES = 8;

interface Entry<V> extends Weight {
  readonly value: V;
  uses: number;
  worth: number;
}

/**
 * A cache bounded by bytes that lets go of what is worth least: greedy dual size frequency (Cherkasova, "Improving WWW
 * proxies performance with greedy-dual-size-frequency caching policy", HP Labs 1998). A value is worth
 * uses x cost / bytes, on top of what the last one evicted was worth: so what was popular once ages.
 * bench/eviction.ts holds it against least recently used.
 */
export class GreedyDualCache<V> {
  readonly maxBytes: number;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #isPinned: (value: V) => boolean;
  readonly #onEvict: (name: string, value: V) => void;
  #bytes = 0;
  #clock = 0;

  constructor({ maxBytes, isPinned, onEvict }: GreedyDualOptions<V>) {
    this.maxBytes = maxBytes;
    this.#isPinned = isPinned;
    this.#onEvict = onEvict;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** Finds a value and counts it as used. */
  get(name: string): V | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    entry.uses = Math.min(MAX_USES, entry.uses + 1);
    entry.worth = this.#worth(entry);
    return entry.value;
  }

  /** Finds a value without counting it. */
  peek(name: string): V | undefined {
    return this.#entries.get(name)?.value;
  }

  /**
   * Keeps a value, in place of one of that name, which goes without a word. Room must have been made: see `makeRoom`.
   */
  set(name: string, value: V, { bytes, cost }: Weight): void {
    const uses = this.#entries.get(name)?.uses ?? 0;
    this.delete(name);
    const entry = { value, bytes: Math.max(1, bytes), cost, uses: Math.min(MAX_USES, uses + 1), worth: 0 };
    entry.worth = this.#worth(entry);
    this.#entries.set(name, entry);
    this.#bytes += entry.bytes;
  }

  /** Takes a value out. */
  delete(name: string): V | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    this.#entries.delete(name);
    this.#bytes -= entry.bytes;
    return entry.value;
  }

  /**
   * Evicts until `bytes` more fit the bound.
   * @returns false when they do not, because what is left is in use or they are more than the bound.
   */
  makeRoom(bytes: number): boolean {
    while (this.#bytes + bytes > this.maxBytes) {
      const victim = bytes > this.maxBytes ? undefined : this.#leastWorth();
      if (victim === undefined) return false;
      const [name, entry] = victim;
      this.#clock = entry.worth;
      this.delete(name);
      this.#onEvict(name, entry.value);
    }
    return true;
  }

  entries(): readonly (readonly [string, V])[] {
    return [...this.#entries].map(([name, { value }]) => [name, value]);
  }

  #worth({ uses, cost, bytes }: Entry<V>): number {
    return this.#clock + (uses * cost) / bytes;
  }

  /** A scan: some thousand models take microseconds, and the load that needs the room milliseconds. */
  #leastWorth(): readonly [string, Entry<V>] | undefined {
    let least: readonly [string, Entry<V>] | undefined;
    for (const each of this.#entries) {
      if ((least === undefined || each[1].worth < least[1].worth) && !this.#isPinned(each[1].value))
        least = each;
    }
    return least;
  }
}
