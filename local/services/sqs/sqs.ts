import type { Handle } from '../../dispatch.ts';
import { createApi } from './api.ts';
import { Queues, type QueuesOptions } from './queues.ts';

export interface SqsOptions extends QueuesOptions {
  /** Of the local cloud: queues' URLs begin with it. */
  readonly url: string;
  readonly onError: (error: unknown) => void;
}

export interface SqsService {
  readonly handle: Handle;
  /** The same queues without HTTP between. */
  readonly queues: Queues;
  close(): Promise<void>;
}

/** SQS on this machine: standard queues, whose messages outlive a restart. */
export const openSqs = async ({ url, onError, ...options }: SqsOptions): Promise<SqsService> => {
  const queues = await Queues.open(options);
  return { queues, handle: createApi({ queues, url, onError }), close: () => queues.close() };
};
