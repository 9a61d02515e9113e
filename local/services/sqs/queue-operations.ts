import { queueArn, queueUrl, readQueueName } from './addresses.ts';
import {
  type Fields,
  readOptionalFields,
  readOptionalInteger,
  readOptionalText,
  readText,
  readTexts,
} from './fields.ts';
import { decodeToken, encodeToken } from './next-token.ts';
import type { Operation } from './operation.ts';
import type { Queue, QueueCounts } from './queue.ts';
import { fifoRefused, parseQueueAttributes, unknownAttribute, withDefaults } from './queue-attributes.ts';
import { invalidParameter, SqsError } from './sqs-error.ts';

const QUEUE_NAME = /^[\w-]{1,80}$/;
const MAX_LISTED = 1000;
/** Of one local cloud, where AWS has no bound. */
const MAX_QUEUES = 1000;

export const createQueue: Operation = async (input, { queues, url }) => {
  const name = readText(input, 'QueueName');
  if (name.endsWith('.fifo')) throw fifoRefused();
  if (!QUEUE_NAME.test(name)) {
    const reason = 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length';
    throw invalidParameter('QueueName', name, reason);
  }
  if (queues.names().length >= MAX_QUEUES) {
    throw new SqsError('OverLimit', `The local SQS has at most ${MAX_QUEUES} queues.`);
  }
  await queues.create(name, parseQueueAttributes(readOptionalFields(input, 'Attributes')));
  return { QueueUrl: queueUrl(url, name) };
};

export const getQueueUrl: Operation = async (input, { queues, url }) => {
  const { name } = queues.require(readText(input, 'QueueName'));
  return { QueueUrl: queueUrl(url, name) };
};

export const listQueues: Operation = async (input, { queues, url }) => {
  const limit = readOptionalInteger(input, 'MaxResults', { min: 1, max: MAX_LISTED });
  const offset = decodeToken(readOptionalText(input, 'NextToken'));
  const names = queues.names(readOptionalText(input, 'QueueNamePrefix'));
  const end = offset + (limit ?? MAX_LISTED);
  return {
    QueueUrls: names.slice(offset, end).map((name) => queueUrl(url, name)),
    // AWS says how to go on only to those that asked for pages.
    NextToken: limit !== undefined && end < names.length ? encodeToken(end) : undefined,
  };
};

export const getQueueAttributes: Operation = async (input, { queues }) => {
  const name = readQueueName(input);
  const asked = readTexts(input, 'AttributeNames');
  const all = describe(queues.require(name), await queues.counts(name));
  if (asked.includes('All')) return { Attributes: all };
  if (asked.length === 0) return {};
  return { Attributes: select(all, asked) };
};

export const setQueueAttributes: Operation = async (input, { queues }) => {
  const name = readQueueName(input);
  await queues.setAttributes(name, parseQueueAttributes(readOptionalFields(input, 'Attributes')));
  return {};
};

export const purgeQueue: Operation = async (input, { queues }) => {
  await queues.purge(readQueueName(input));
  return {};
};

const describe = (
  { row }: Queue,
  { ready, inFlight, delayed }: QueueCounts,
): Readonly<Record<string, string>> => ({
  SqsManagedSseEnabled: 'true',
  ...withDefaults(row.attributes),
  QueueArn: queueArn(row.name),
  CreatedTimestamp: String(Math.floor(row.createdMs / 1000)),
  LastModifiedTimestamp: String(Math.floor(row.modifiedMs / 1000)),
  ApproximateNumberOfMessages: String(ready),
  ApproximateNumberOfMessagesNotVisible: String(inFlight),
  ApproximateNumberOfMessagesDelayed: String(delayed),
});

/** Attributes that a queue has only when they were set. */
const OPTIONAL = [
  'Policy',
  'RedrivePolicy',
  'RedriveAllowPolicy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
];

const select = (all: Readonly<Record<string, string>>, asked: readonly string[]): Fields => {
  const unknown = asked.find((name) => all[name] === undefined && !OPTIONAL.includes(name));
  if (unknown !== undefined) throw unknownAttribute(unknown);
  return Object.fromEntries(Object.entries(all).filter(([name]) => asked.includes(name)));
};
