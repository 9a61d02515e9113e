import { createHash } from 'node:crypto';
import type { ModelStore } from '../../lib/models/model-store.ts';

/** The ModelStore port in memory, with a count of what was read. */
export const memoryModelStore = (
  objects: Map<string, Uint8Array> = new Map(),
): ModelStore & { readonly objects: Map<string, Uint8Array>; readonly reads: () => number } => {
  let reads = 0;
  return {
    objects,
    reads: () => reads,
    async get(model) {
      reads += 1;
      const bytes = objects.get(model);
      if (bytes === undefined) return undefined;
      const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
      return { etag, sizeBytes: bytes.length, body: inPieces(bytes) };
    },
  };
};

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 65_536) yield bytes.subarray(start, start + 65_536);
}
