import type { Fields } from './fields.ts';
import { parseRedrivePolicy, type RedrivePolicy } from './redrive-policy.ts';
import { SqsError } from './sqs-error.ts';

/** What was said of a queue, as text, under SQS's names. */
export type QueueAttributes = Readonly<Record<string, string>>;

/** The same with its defaults, as the queue acts on it. */
export interface QueueSettings {
  readonly visibilityTimeoutMs: number;
  readonly delayMs: number;
  readonly maxMessageBytes: number;
  readonly retentionMs: number;
  readonly receiveWaitMs: number;
  readonly redrive: RedrivePolicy | undefined;
}

/** AWS raised it from 256 KiB in August 2025; of a message with its attributes, and of a batch. */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** Bounds and defaults of numbers (SQS API, SetQueueAttributes). */
const NUMBERS: Readonly<Record<string, { min: number; max: number; fallback: number }>> = {
  VisibilityTimeout: { min: 0, max: 43_200, fallback: 30 },
  DelaySeconds: { min: 0, max: 900, fallback: 0 },
  MaximumMessageSize: { min: 1024, max: MAX_MESSAGE_BYTES, fallback: MAX_MESSAGE_BYTES },
  MessageRetentionPeriod: { min: 60, max: 1_209_600, fallback: 345_600 },
  ReceiveMessageWaitTimeSeconds: { min: 0, max: 20, fallback: 0 },
};

/** Kept and told again, without effect here: nothing is encrypted, and nobody is refused. */
const IGNORED = [
  'Policy',
  'RedriveAllowPolicy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
];

const OF_FIFO = ['FifoQueue', 'ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit'];

/** @throws SqsError InvalidAttributeName, InvalidAttributeValue; UnsupportedOperation for what makes a FIFO queue. */
export const parseQueueAttributes = (fields: Fields): QueueAttributes =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, parseAttribute(name, value)]));

const parseAttribute = (name: string, value: unknown): string => {
  if (OF_FIFO.includes(name)) throw fifoRefused();
  if (typeof value !== 'string') throw invalidValue(name);
  const bounds = NUMBERS[name];
  if (bounds !== undefined) {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= bounds.min && number <= bounds.max)) throw invalidValue(name);
    return String(number);
  }
  if (name === 'RedrivePolicy') {
    if (value !== '') parseRedrivePolicy(value);
    return value;
  }
  if (!IGNORED.includes(name)) throw unknownAttribute(name);
  return value;
};

export const toSettings = (attributes: QueueAttributes): QueueSettings => {
  const all = withDefaults(attributes);
  const redrive = attributes['RedrivePolicy'];
  return {
    visibilityTimeoutMs: 1000 * Number(all['VisibilityTimeout']),
    delayMs: 1000 * Number(all['DelaySeconds']),
    maxMessageBytes: Number(all['MaximumMessageSize']),
    retentionMs: 1000 * Number(all['MessageRetentionPeriod']),
    receiveWaitMs: 1000 * Number(all['ReceiveMessageWaitTimeSeconds']),
    redrive: redrive === undefined ? undefined : parseRedrivePolicy(redrive),
  };
};

export const withDefaults = (attributes: QueueAttributes): QueueAttributes => ({
  ...Object.fromEntries(Object.entries(NUMBERS).map(([name, { fallback }]) => [name, String(fallback)])),
  ...attributes,
});

/** What is set anew over what was there; an empty text takes an attribute away. */
export const mergeAttributes = (before: QueueAttributes, set: QueueAttributes): QueueAttributes =>
  Object.fromEntries(Object.entries({ ...before, ...set }).filter(([, value]) => value !== ''));

export const fifoRefused = (): SqsError =>
  new SqsError('UnsupportedOperation', 'The local SQS has standard queues only, and no FIFO queues.');

export const unknownAttribute = (name: string): SqsError =>
  new SqsError('InvalidAttributeName', `Unknown Attribute ${name}.`);

const invalidValue = (name: string): SqsError =>
  new SqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
