import type { Clock } from '../../../lib/clock.ts';
import type { ReceivedMessage } from '../sqs/message.ts';
import type { Queues } from '../sqs/queues.ts';

export interface Gather {
  readonly queues: Pick<Queues, 'receive'>;
  readonly queueName: string;
  readonly batchSize: number;
  /** How long more is waited for, from the first message on. */
  readonly windowMs: number;
  readonly maxBytes: number;
  readonly now: Clock;
  readonly signal: AbortSignal;
}

/** What ReceiveMessage gives at once, and how long it waits. */
const MAX_RECEIVED = 10;
const MAX_WAIT_MS = 20_000;

/**
 * Receives until the batch is full, its bytes are, or its window is over; with no window, what one receive gives.
 * @returns nothing when the queue stayed empty, or the signal came
 */
export const gatherMessages = async (asked: Gather): Promise<readonly ReceivedMessage[]> => {
  const { batchSize, windowMs, maxBytes, now, signal } = asked;
  const gathered = [...(await receive(asked, batchSize, maxBytes, MAX_WAIT_MS))];
  if (gathered.length === 0) return gathered;

  const endsAtMs = now() + windowMs;
  let sizeBytes = sizeOf(gathered);
  while (gathered.length < batchSize && sizeBytes < maxBytes && now() < endsAtMs && !signal.aborted) {
    const waitMs = Math.min(endsAtMs - now(), MAX_WAIT_MS);
    const more = await receive(asked, batchSize - gathered.length, maxBytes - sizeBytes, waitMs);
    gathered.push(...more);
    sizeBytes += sizeOf(more);
  }
  return gathered;
};

const receive = (
  { queues, queueName, signal }: Gather,
  max: number,
  maxBytes: number,
  waitMs: number,
): Promise<readonly ReceivedMessage[]> =>
  queues.receive(queueName, { max: Math.min(max, MAX_RECEIVED), maxBytes, waitMs, signal });

const sizeOf = (messages: readonly ReceivedMessage[]): number =>
  messages.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
