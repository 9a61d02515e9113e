import { SqsError } from './sqs-error.ts';

export const encodeToken = (offset: number): string => Buffer.from(String(offset)).toString('base64');

/** @throws SqsError */
export const decodeToken = (token: string | undefined): number => {
  if (token === undefined || token === '') return 0;
  const text = Buffer.from(token, 'base64').toString();
  if (!/^\d{1,9}$/.test(text)) {
    throw new SqsError('InvalidParameterValueException', 'Invalid or expired next token.');
  }
  return Number(text);
};
