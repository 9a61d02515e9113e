import { readQueueName } from './addresses.ts';
import { type Fields, readOptionalInteger, readTexts } from './fields.ts';
import type { ReceivedMessage } from './message.ts';
import { encodeAttributes, selectAttributes } from './message-attributes.ts';
import { md5OfAttributes, md5OfBody } from './message-digest.ts';
import type { Operation } from './operation.ts';
import { encodeSystemAttributes } from './system-attributes.ts';

export const receiveMessage: Operation = async (input, { queues, signal }) => {
  const max = readOptionalInteger(input, 'MaxNumberOfMessages', { min: 1, max: 10 }) ?? 1;
  const waitSeconds = readOptionalInteger(input, 'WaitTimeSeconds', { min: 0, max: 20 });
  const visibilitySeconds = readOptionalInteger(input, 'VisibilityTimeout', { min: 0, max: 43_200 });
  const asked = {
    system: [...readTexts(input, 'AttributeNames'), ...readTexts(input, 'MessageSystemAttributeNames')],
    attributes: readTexts(input, 'MessageAttributeNames'),
  };
  const messages = await queues.receive(readQueueName(input), {
    max,
    signal,
    ...(waitSeconds === undefined ? {} : { waitMs: 1000 * waitSeconds }),
    ...(visibilitySeconds === undefined ? {} : { visibilityMs: 1000 * visibilitySeconds }),
  });
  return messages.length === 0 ? {} : { Messages: messages.map((message) => encode(message, asked)) };
};

interface Asked {
  readonly system: readonly string[];
  readonly attributes: readonly string[];
}

const encode = (message: ReceivedMessage, asked: Asked): Fields => {
  const attributes = selectAttributes(message.attributes, asked.attributes);
  const system = Object.entries(encodeSystemAttributes(message)).filter(
    ([name]) => asked.system.includes('All') || asked.system.includes(name),
  );
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: md5OfBody(message.body),
    // Of those that are returned.
    MD5OfMessageAttributes: md5OfAttributes(attributes),
    ...(Object.keys(attributes).length === 0 ? {} : { MessageAttributes: encodeAttributes(attributes) }),
    ...(system.length === 0 ? {} : { Attributes: Object.fromEntries(system) }),
  };
};
