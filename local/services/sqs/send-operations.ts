import { readQueueName } from './addresses.ts';
import { readEntries, runBatch } from './batch.ts';
import {
  type Fields,
  readOptionalFields,
  readOptionalInteger,
  readOptionalText,
  readText,
} from './fields.ts';
import { parseMessageAttributes, sizeOfAttributes } from './message-attributes.ts';
import { md5OfAttributes, md5OfBody } from './message-digest.ts';
import type { Operation } from './operation.ts';
import { MAX_MESSAGE_BYTES } from './queue-attributes.ts';
import type { NewMessage } from './queues.ts';
import { invalidParameter, SqsError } from './sqs-error.ts';

export const sendMessage: Operation = async (input, { queues }) => {
  const { message, answer } = parseMessage(input);
  return { ...answer, MessageId: await queues.send(readQueueName(input), message) };
};

export const sendMessageBatch: Operation = async (input, { queues }) => {
  const name = readQueueName(input);
  queues.require(name);
  const entries = readEntries(input);
  const sizeBytes = entries.reduce((sum, entry) => sum + sizeOfEntry(entry), 0);
  if (sizeBytes > MAX_MESSAGE_BYTES) {
    const message = `Batch requests cannot be longer than ${MAX_MESSAGE_BYTES} bytes. You have sent ${sizeBytes} bytes.`;
    throw new SqsError('BatchRequestTooLong', message);
  }
  return runBatch(entries, async (entry) => {
    const { message, answer } = parseMessage(entry);
    return { ...answer, MessageId: await queues.send(name, message) };
  });
};

/** The message, and what its sender holds against what it sent. */
const parseMessage = (input: Fields): { readonly message: NewMessage; readonly answer: Fields } => {
  const body = readText(input, 'MessageBody');
  if (!isAllowed(body)) {
    const message = 'Invalid characters found: XML 1.0 has no such character, and SQS takes no other.';
    throw new SqsError('InvalidMessageContents', message);
  }
  if (readOptionalText(input, 'MessageDeduplicationId') !== undefined) {
    const reason = 'The request includes a parameter that is not valid for this queue type.';
    throw invalidParameter('MessageDeduplicationId', input['MessageDeduplicationId'], reason);
  }
  const seconds = readOptionalInteger(input, 'DelaySeconds', { min: 0, max: 900 });
  const attributes = parseMessageAttributes(readOptionalFields(input, 'MessageAttributes'));
  const system = parseMessageAttributes(readOptionalFields(input, 'MessageSystemAttributes'));
  return {
    message: {
      body,
      attributes,
      system: readSystem(input, system['AWSTraceHeader']?.stringValue),
      ...(seconds === undefined ? {} : { delayMs: 1000 * seconds }),
    },
    answer: {
      MD5OfMessageBody: md5OfBody(body),
      MD5OfMessageAttributes: md5OfAttributes(attributes),
      MD5OfMessageSystemAttributes: md5OfAttributes(system),
    },
  };
};

/** A group makes a standard queue fair on AWS; here it is only told again. */
const readSystem = (input: Fields, trace: string | undefined): Readonly<Record<string, string>> => {
  const group = readOptionalText(input, 'MessageGroupId');
  return {
    ...(trace === undefined ? {} : { AWSTraceHeader: trace }),
    ...(group === undefined ? {} : { MessageGroupId: group }),
  };
};

/** What is wrong with an entry is said of it later, so it counts here by its body. */
const sizeOfEntry = (entry: Fields): number => {
  const body = entry['MessageBody'];
  const bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : 0;
  try {
    return (
      bodyBytes + sizeOfAttributes(parseMessageAttributes(readOptionalFields(entry, 'MessageAttributes')))
    );
  } catch {
    return bodyBytes;
  }
};

/** The characters of XML 1.0 (SQS API, SendMessage); lone surrogates are none. */
const isAllowed = (body: string): boolean =>
  /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u.test(body);
