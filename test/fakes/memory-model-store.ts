import { createHash } from 'node:crypto';
import type { ModelStore } from '../../lib/models/model-store.ts';

export interface MemoryModelStore extends ModelStore {
  put(model: string, bytes: string | Uint8Array): void;
  /** The next reads fail with this, until it is `undefined` again. */
  failWith: Error | undefined;
  /** Takes a model away. */
  remove(model: string): void;
  /** How often each model was sent. */
  readonly reads: Readonly<Record<string, number>>;
  /** How often each model was asked for, whether it was then sent or not. */
  readonly checks: Readonly<Record<string, number>>;
  /** After which names pages were asked for. */
  readonly lists: string[];
}

const MAX_PAGE = 1000;

/** The ModelStore port in memory. */
export const memoryModelStore = (): MemoryModelStore => {
  const objects = new Map<string, Buffer>();
  const reads: Record<string, number> = {};
  const checks: Record<string, number> = {};

  return {
    failWith: undefined,
    reads,
    checks,
    lists: [],
    put(model, bytes) {
      objects.set(model, Buffer.from(bytes));
    },
    remove(model) {
      objects.delete(model);
    },
    async get(model, knownEtag) {
      checks[model] = (checks[model] ?? 0) + 1;
      if (this.failWith !== undefined) throw this.failWith;
      const bytes = objects.get(model);
      if (bytes === undefined) return undefined;
      const etag = etagOf(bytes);
      if (etag === knownEtag) return 'unchanged';
      reads[model] = (reads[model] ?? 0) + 1;
      return { etag, sizeBytes: bytes.length, body: chunks(bytes), discard: () => undefined };
    },
    async list(after) {
      this.lists.push(after);
      if (this.failWith !== undefined) throw this.failWith;
      const left = [...objects].filter(([name]) => name > after).sort(([a], [b]) => (a < b ? -1 : 1));
      const page = left.slice(0, MAX_PAGE).map(([name, bytes]) => [name, etagOf(bytes)] as const);
      return { etags: new Map(page), isLast: left.length <= MAX_PAGE };
    },
  };
};

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1024) yield bytes.subarray(at, at + 1024);
}

const etagOf = (bytes: Buffer): string => `"${createHash('md5').update(bytes).digest('hex')}"`;
