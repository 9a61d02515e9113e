import type { Fields } from './fields.ts';
import type { Queues } from './queues.ts';

export interface OperationContext {
  readonly queues: Queues;
  /** Of the local cloud, without a path. */
  readonly url: string;
  /** Aborted when the caller has gone away. */
  readonly signal: AbortSignal;
}

/** One operation of the API: `undefined` is left out of its answer. @throws SqsError */
export type Operation = (input: Fields, context: OperationContext) => Promise<Fields>;
