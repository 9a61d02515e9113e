import type { ReceivedMessage } from './message.ts';

/** Who may send has a role's id on AWS; here there is one sender. */
const SENDER = 'AIDALOCALLOCALLOCAL00';

/** What SQS says of a message, under its names. */
export const encodeSystemAttributes = (message: ReceivedMessage): Readonly<Record<string, string>> => ({
  SenderId: SENDER,
  SentTimestamp: String(message.sentMs),
  ApproximateReceiveCount: String(message.receiveCount),
  ApproximateFirstReceiveTimestamp: String(message.firstReceivedMs ?? message.sentMs),
  ...(message.sourceArn === undefined ? {} : { DeadLetterQueueSourceArn: message.sourceArn }),
  ...message.system,
});
