import { GreedyDualCache } from '../cache/greedy-dual.ts';
import type { LoadedModel, ModelLease } from '../engines/engine.ts';

export interface MemoryCacheOptions {
  readonly maxBytes: number;
  /** Told of each model that went to make room. */
  readonly onEvict: (name: string) => void;
  /** Told of each model that is being closed; rejects when that fails. */
  readonly onClose: (closed: Promise<void>) => void;
}

/** What is kept with a model. */
export interface Opened {
  readonly model: LoadedModel;
  readonly etag: string;
  readonly sizeBytes: number;
  /** What it would take to load it again, in milliseconds. */
  readonly loadMs: number;
  /** As the artifact's serving.properties say. */
  readonly maxWorkers?: number;
  readonly maxIdleSeconds?: number;
  readonly batchSize?: number;
  /** Lets go of the folder, for models that need it as long as they are open. */
  readonly releaseFolder: () => void;
}

interface Held extends Opened {
  users: number;
  gone: boolean;
}

/**
 * Open models, bounded by bytes; the one worth least goes first, one in use never. One that is replaced while it runs is
 * closed when its last user is done.
 */
export class MemoryCache {
  readonly #held: GreedyDualCache<Held>;
  readonly #onClose: MemoryCacheOptions['onClose'];

  constructor({ maxBytes, onEvict, onClose }: MemoryCacheOptions) {
    this.#onClose = onClose;
    this.#held = new GreedyDualCache({
      maxBytes,
      isPinned: ({ users }) => users > 0,
      onEvict: (name, held) => {
        this.#letGo(held);
        onEvict(name);
      },
    });
  }

  get maxBytes(): number {
    return this.#held.maxBytes;
  }

  get bytes(): number {
    return this.#held.bytes;
  }

  get count(): number {
    return this.#held.count;
  }

  /** The ETag that a model was loaded with. */
  etagOf(name: string): string | undefined {
    return this.#held.peek(name)?.etag;
  }

  /** What was measured of a model, and what its artifact asks for; `undefined` when it is not open. */
  describe(
    name: string,
  ):
    | Pick<Opened, 'etag' | 'sizeBytes' | 'loadMs' | 'maxWorkers' | 'maxIdleSeconds' | 'batchSize'>
    | undefined {
    const held = this.#held.peek(name);
    if (held === undefined) return undefined;
    const { etag, sizeBytes, loadMs, maxWorkers, maxIdleSeconds, batchSize } = held;
    return {
      etag,
      sizeBytes,
      loadMs,
      ...(maxWorkers === undefined ? {} : { maxWorkers }),
      ...(maxIdleSeconds === undefined ? {} : { maxIdleSeconds }),
      ...(batchSize === undefined ? {} : { batchSize }),
    };
  }

  lease(name: string): ModelLease | undefined {
    const held = this.#held.get(name);
    return held && this.#use(held);
  }

  /** @returns false when so many bytes do not fit beside the models in use */
  makeRoom(bytes: number): boolean {
    return this.#held.makeRoom(bytes);
  }

  /** Keeps a model, in place of one of that name, and leases it. Room must have been made: see `makeRoom`. */
  add(name: string, opened: Opened): ModelLease {
    const held: Held = { ...opened, users: 0, gone: false };
    const lease = this.#use(held);
    const replaced = this.#held.peek(name);
    this.#held.set(name, held, { bytes: opened.sizeBytes, cost: opened.loadMs });
    if (replaced !== undefined) this.#letGo(replaced);
    return lease;
  }

  drop(name: string): void {
    const held = this.#held.delete(name);
    if (held !== undefined) this.#letGo(held);
  }

  /** Lets go of all models that keep their folders on disk and are not running. */
  dropThoseWithFolders(): void {
    for (const [name, { model, users }] of this.#held.entries()) {
      if (model.needsFolder && users === 0) this.drop(name);
    }
  }

  #use(held: Held): ModelLease {
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

  #letGo(held: Held): void {
    held.gone = true;
    this.#closeIfUnused(held);
  }

  #closeIfUnused(held: Held): void {
    if (!held.gone || held.users > 0) return;
    const close = Promise.resolve(held.model[Symbol.asyncDispose]()).finally(held.releaseFolder);
    this.#onClose(close);
  }
}
