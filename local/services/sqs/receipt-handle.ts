import type { Entry } from './message.ts';
import { SqsError } from './sqs-error.ts';

/** One receive of one message: the next receive has another, and makes this one stale. */
export interface Receipt {
  readonly id: string;
  readonly receiveCount: number;
}

export const encodeReceipt = (queue: string, { id, receiveCount }: Entry): string =>
  Buffer.from(`${queue} ${id} ${receiveCount}`).toString('base64');

/** @throws SqsError ReceiptHandleIsInvalid, also for one of another queue. */
export const parseReceipt = (queue: string, handle: string): Receipt => {
  const [, name, id, count] = /^(\S+) (\S+) (\d+)$/.exec(Buffer.from(handle, 'base64').toString()) ?? [];
  if (name !== queue || id === undefined) {
    throw new SqsError('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
  }
  return { id, receiveCount: Number(count) };
};
