import { LRUCache } from 'lru-cache';
import type { LoadedModel } from '../engines/engine.ts';

/** A model that stays open at least until it is disposed of; every lease must be. */
export interface Lease extends AsyncDisposable {
  readonly model: LoadedModel;
}

interface Held {
  readonly model: LoadedModel;
  users: number;
  evicted: boolean;
}

/**
 * Open models, bounded by bytes, the least recently used going first. One that is evicted while it runs is closed
 * when its last user is done.
 */
export class MemoryCache {
  readonly #held: LRUCache<string, Held>;
  readonly #onError: (error: unknown) => void;

  constructor({ maxBytes, onError }: { maxBytes: number; onError: (error: unknown) => void }) {
    this.#onError = onError;
    this.#held = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ model }) => model.sizeBytes,
      dispose: (held) => {
        held.evicted = true;
        this.#closeIfUnused(held);
      },
    });
  }

  get maxBytes(): number {
    return this.#held.maxSize;
  }

  get bytes(): number {
    return this.#held.calculatedSize;
  }

  get count(): number {
    return this.#held.size;
  }

  lease(name: string): Lease | undefined {
    const held = this.#held.get(name);
    return held && this.#use(held);
  }

  /** Keeps a model and leases it. It must fit: see `maxBytes`. */
  add(name: string, model: LoadedModel): Lease {
    const held: Held = { model, users: 0, evicted: false };
    const lease = this.#use(held);
    this.#held.set(name, held);
    return lease;
  }

  #use(held: Held): Lease {
    held.users += 1;
    let released = false;
    return {
      model: held.model,
      [Symbol.asyncDispose]: async () => {
        if (released) return;
        released = true;
        held.users -= 1;
        this.#closeIfUnused(held);
      },
    };
  }

  #closeIfUnused(held: Held): void {
    if (!held.evicted || held.users > 0) return;
    Promise.resolve(held.model[Symbol.asyncDispose]()).catch(this.#onError);
  }
}
