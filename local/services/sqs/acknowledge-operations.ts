import { readQueueName } from './addresses.ts';
import { readEntries, runBatch } from './batch.ts';
import { type Fields, readOptionalInteger, readText } from './fields.ts';
import type { Operation } from './operation.ts';
import { missingParameter } from './sqs-error.ts';

export const deleteMessage: Operation = async (input, { queues }) => {
  await queues.delete(readQueueName(input), readText(input, 'ReceiptHandle'));
  return {};
};

export const deleteMessageBatch: Operation = async (input, { queues }) => {
  const { name } = queues.require(readQueueName(input));
  return runBatch(readEntries(input), async (entry) => {
    await queues.delete(name, readText(entry, 'ReceiptHandle'));
    return {};
  });
};

export const changeMessageVisibility: Operation = async (input, { queues }) => {
  await queues.changeVisibility(
    readQueueName(input),
    readText(input, 'ReceiptHandle'),
    readVisibilityMs(input),
  );
  return {};
};

export const changeMessageVisibilityBatch: Operation = async (input, { queues }) => {
  const { name } = queues.require(readQueueName(input));
  return runBatch(readEntries(input), async (entry) => {
    await queues.changeVisibility(name, readText(entry, 'ReceiptHandle'), readVisibilityMs(entry));
    return {};
  });
};

const readVisibilityMs = (fields: Fields): number => {
  const seconds = readOptionalInteger(fields, 'VisibilityTimeout', { min: 0, max: 43_200 });
  if (seconds === undefined) throw missingParameter('VisibilityTimeout');
  return 1000 * seconds;
};
