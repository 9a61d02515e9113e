import type { BatchJob, StoredObject } from '../protocol/envelope.ts';

/** An asynchronous call as it waits in the queue. */
export interface QueuedJob extends BatchJob {
  readonly model: string;
  /** Where it is said why there is no output. */
  readonly failure: StoredObject;
  /** What has not been started by then is given up; epoch milliseconds. */
  readonly expiresAtMs: number;
}

/** Port. */
export interface JobQueue {
  /** When it returns, the job is kept, and will be run at least once. */
  send(job: QueuedJob): Promise<void>;
}

export const encodeJob = (job: QueuedJob): string => JSON.stringify(job);

/** @throws Error for what is no job: nobody but us writes to the queue */
export const parseJob = (text: string): QueuedJob => {
  const job = JSON.parse(text) as Partial<QueuedJob> | null;
  const { id, model, input, output, failure, expiresAtMs, timeoutMs } = job ?? {};
  const isWhole =
    typeof id === 'string' &&
    typeof model === 'string' &&
    [input, output, failure].every((each) => typeof each === 'object' && each !== null) &&
    Number.isFinite(expiresAtMs) &&
    Number.isFinite(timeoutMs);
  if (isWhole) return job as QueuedJob;
  throw new Error(`a message of the queue is no job: ${text.slice(0, 200)}`);
};
