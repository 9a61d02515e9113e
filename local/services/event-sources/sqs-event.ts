import type { ReceivedMessage } from '../sqs/message.ts';
import type { MessageAttributes } from '../sqs/message-attributes.ts';
import { md5OfAttributes, md5OfBody } from '../sqs/message-digest.ts';
import { encodeSystemAttributes } from '../sqs/system-attributes.ts';

/** Messages that are given to a function together. */
export interface SqsBatch {
  readonly messages: readonly ReceivedMessage[];
  /** JSON, as Lambda gives it (Lambda developer guide, "Example standard queue message event"). */
  readonly payload: string;
}

const AROUND_BYTES = '{"Records":[]}'.length;

/** As few events as the bound allows: bodies grow when they are written as JSON. */
export const toBatches = (
  messages: readonly ReceivedMessage[],
  { queueArn, maxBytes }: { readonly queueArn: string; readonly maxBytes: number },
): readonly SqsBatch[] => {
  const batches: SqsBatch[] = [];
  let together: { message: ReceivedMessage; json: string }[] = [];
  let sizeBytes = AROUND_BYTES;
  const finish = (): void => {
    if (together.length === 0) return;
    const payload = `{"Records":[${together.map(({ json }) => json).join(',')}]}`;
    batches.push({ messages: together.map(({ message }) => message), payload });
    together = [];
    sizeBytes = AROUND_BYTES;
  };
  for (const message of messages) {
    const json = JSON.stringify(toRecord(message, queueArn));
    const jsonBytes = Buffer.byteLength(json) + 1;
    if (sizeBytes + jsonBytes > maxBytes) finish();
    together.push({ message, json });
    sizeBytes += jsonBytes;
  }
  finish();
  return batches;
};

const toRecord = (message: ReceivedMessage, queueArn: string): object => ({
  messageId: message.id,
  receiptHandle: message.receiptHandle,
  body: message.body,
  attributes: encodeSystemAttributes(message),
  messageAttributes: toAttributes(message.attributes),
  md5OfBody: md5OfBody(message.body),
  md5OfMessageAttributes: md5OfAttributes(message.attributes),
  eventSource: 'aws:sqs',
  eventSourceARN: queueArn,
  awsRegion: queueArn.split(':')[3],
});

/** Lambda's events have small initials, and empty lists that no SDK can fill. */
const toAttributes = (attributes: MessageAttributes): object =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      { stringValue, binaryValue, stringListValues: [], binaryListValues: [], dataType },
    ]),
  );
