import { nameOfArn } from './addresses.ts';
import { invalidParameter } from './sqs-error.ts';

/** After how many receives without a delete a message moves, and where. */
export interface RedrivePolicy {
  readonly deadLetterQueue: string;
  readonly maxReceiveCount: number;
}

const MAX_RECEIVE_COUNT = 1000;

/** @param text JSON with deadLetterTargetArn and maxReceiveCount, which may be text. @throws SqsError */
export const parseRedrivePolicy = (text: string): RedrivePolicy => {
  const policy = parseJson(text);
  const deadLetterQueue = nameOfArn(String(policy['deadLetterTargetArn'] ?? ''));
  const maxReceiveCount = Number(policy['maxReceiveCount']);
  if (deadLetterQueue === undefined) throw invalid(text, 'Invalid value for deadLetterTargetArn.');
  if (!Number.isInteger(maxReceiveCount) || maxReceiveCount < 1 || maxReceiveCount > MAX_RECEIVE_COUNT) {
    throw invalid(text, `Invalid value for maxReceiveCount: must be from 1 to ${MAX_RECEIVE_COUNT}.`);
  }
  return { deadLetterQueue, maxReceiveCount };
};

const parseJson = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below, as for JSON that is no object.
  }
  throw invalid(text, 'Redrive policy is not a valid JSON map.');
};

const invalid = (text: string, reason: string) => invalidParameter('RedrivePolicy', text, reason);
