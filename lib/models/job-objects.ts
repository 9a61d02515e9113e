import type { StoredObject } from '../protocol/envelope.ts';

/** Port. Where inputs and outputs of asynchronous calls are kept. */
export interface JobObjects {
  /**
   * @throws ServingError ValidationError when the object is not there or larger than `maxBytes`; what the store throws when it
   * does not answer
   */
  read(object: StoredObject, maxBytes: number): Promise<Buffer>;
  write(object: StoredObject, body: Buffer, contentType: string): Promise<void>;
}
