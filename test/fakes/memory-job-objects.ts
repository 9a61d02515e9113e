import { ServingError } from '../../lib/errors.ts';
import type { JobObjects } from '../../lib/models/job-objects.ts';

export interface MemoryJobObjects extends JobObjects {
  /** By `bucket/key`. */
  readonly objects: Map<string, Buffer>;
}

export const memoryJobObjects = (): MemoryJobObjects => {
  const objects = new Map<string, Buffer>();
  return {
    objects,
    async read({ bucket, key }, maxBytes) {
      const found = objects.get(`${bucket}/${key}`);
      if (found === undefined) throw new ServingError('ValidationError', `InputLocation ${key} not found`);
      if (found.length > maxBytes)
        throw new ServingError('ValidationError', `InputLocation ${key} is too large`);
      return found;
    },
    async write({ bucket, key }, body) {
      objects.set(`${bucket}/${key}`, body);
    },
  };
};
