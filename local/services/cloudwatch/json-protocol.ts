import { CloudWatchError } from './cloudwatch-error.ts';
import type { Fields } from './fields.ts';
import type { Answer, AnswerFields } from './operation.ts';
import type { Protocol } from './protocol.ts';

const TARGET = 'GraniteServiceVersion20100801.';

/** awsJson1.0, which the SDKs of today speak (JavaScript 3.1164.0, boto3 1.44.5). Times are seconds since the epoch. */
export const jsonProtocol: Protocol = {
  decode: ({ headers, body }) => {
    const target = String(headers['x-amz-target'] ?? '');
    if (!target.startsWith(TARGET)) return undefined;
    return { operation: target.slice(TARGET.length), input: () => parseInput(body) };
  },

  encode: (_operation, answer) => ({
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify(toJson(answer)),
  }),

  encodeError: (error) => ({
    status: error.status,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-errortype': error.type,
      // Clients that asked in query mode show the name of the Query protocol, which their users know.
      'x-amzn-query-error': `${error.code};${error.status < 500 ? 'Sender' : 'Receiver'}`,
    },
    body: JSON.stringify({ __type: error.type, message: error.message }),
  }),
};

const parseInput = (body: Buffer): Fields => {
  try {
    const value: unknown = JSON.parse(body.length === 0 ? '{}' : body.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  } catch (cause) {
    throw new CloudWatchError('MalformedInput', 'The body is not JSON.', { cause });
  }
  throw new CloudWatchError('MalformedInput', 'The body is not a JSON object.');
};

const toJson = (answer: Answer): unknown => {
  if (answer instanceof Date) return answer.getTime() / 1000;
  if (isList(answer)) return answer.map(toJson);
  if (typeof answer !== 'object') return answer;
  return Object.fromEntries(
    Object.entries(answer satisfies AnswerFields).map(([name, value]) => [name, toJson(value)]),
  );
};

const isList = (answer: Answer): answer is readonly Answer[] => Array.isArray(answer);
