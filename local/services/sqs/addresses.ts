import type { Fields } from './fields.ts';
import { readText } from './fields.ts';
import { SqsError } from './sqs-error.ts';

export const ACCOUNT = '000000000000';
const ARN_START = `arn:aws:sqs:us-east-1:${ACCOUNT}:`;

export const queueArn = (name: string): string => `${ARN_START}${name}`;

/** @param url of the local cloud, which changes with its port: only names are kept */
export const queueUrl = (url: string, name: string): string => `${url}/${ACCOUNT}/${name}`;

/** @returns `undefined` for what is no queue of this account */
export const nameOfArn = (arn: string): string | undefined =>
  arn.startsWith(ARN_START) ? arn.slice(ARN_START.length) : undefined;

/**
 * The queue that a request is about. Any host will do: a function has the URL of the cloud as it was configured.
 * @throws SqsError QueueDoesNotExist for what is no queue's URL.
 */
export const readQueueName = (input: Fields): string => {
  const [, account, name] = /\/(\d{12})\/([^/]+)$/.exec(readText(input, 'QueueUrl')) ?? [];
  if (account !== ACCOUNT || name === undefined) throw queueDoesNotExist();
  return name;
};

export const queueDoesNotExist = (): SqsError =>
  new SqsError('QueueDoesNotExist', 'The specified queue does not exist.');
