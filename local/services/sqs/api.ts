import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Handle } from '../../dispatch.ts';
import { readBody } from '../../read-body.ts';
import {
  changeMessageVisibility,
  changeMessageVisibilityBatch,
  deleteMessage,
  deleteMessageBatch,
} from './acknowledge-operations.ts';
import { type Fields, toFields } from './fields.ts';
import type { Operation, OperationContext } from './operation.ts';
import {
  createQueue,
  getQueueAttributes,
  getQueueUrl,
  listQueues,
  purgeQueue,
  setQueueAttributes,
} from './queue-operations.ts';
import { receiveMessage } from './receive-operation.ts';
import { sendMessage, sendMessageBatch } from './send-operations.ts';
import { SqsError, toSqsError } from './sqs-error.ts';

export interface ApiOptions extends Pick<OperationContext, 'queues' | 'url'> {
  readonly onError: (error: unknown) => void;
}

const TARGET = 'AmazonSQS.';
/** A batch of 1 MiB, in which a client may have written every character as an escape of six. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const TYPE = { 'content-type': 'application/x-amz-json-1.0' };

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['CreateQueue', createQueue],
  ['GetQueueUrl', getQueueUrl],
  ['ListQueues', listQueues],
  ['GetQueueAttributes', getQueueAttributes],
  ['SetQueueAttributes', setQueueAttributes],
  ['PurgeQueue', purgeQueue],
  ['SendMessage', sendMessage],
  ['SendMessageBatch', sendMessageBatch],
  ['ReceiveMessage', receiveMessage],
  ['DeleteMessage', deleteMessage],
  ['DeleteMessageBatch', deleteMessageBatch],
  ['ChangeMessageVisibility', changeMessageVisibility],
  ['ChangeMessageVisibilityBatch', changeMessageVisibilityBatch],
]);

/** SQS's API (2012-11-05) in awsJson1.0, which SDKs have spoken since 2023. Signatures are not verified. */
export const createApi =
  ({ onError, ...options }: ApiOptions): Handle =>
  (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    answer(request, { ...options, signal: gone.signal })
      .then(
        (fields) => send(response, 200, { body: fields }),
        (error: unknown) => {
          if (!(error instanceof SqsError)) onError(error);
          sendError(response, toSqsError(error));
        },
      )
      .catch((error: unknown) => {
        onError(error);
        response.destroy();
      });
  };

const answer = async (request: IncomingMessage, context: OperationContext): Promise<Fields> => {
  const operation = chooseOperation(String(request.headers['x-amz-target'] ?? ''));
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body === undefined) {
    throw new SqsError('BatchRequestTooLong', `A request has at most ${MAX_BODY_BYTES} bytes as JSON.`);
  }
  return operation(parseBody(body), context);
};

const chooseOperation = (target: string): Operation => {
  const found = target.startsWith(TARGET) ? OPERATIONS.get(target.slice(TARGET.length)) : undefined;
  if (found !== undefined) return found;
  const names = [...OPERATIONS.keys()].join(', ');
  const asked = target === '' ? 'Query protocol' : target;
  throw new SqsError(
    'UnknownOperationException',
    `The local SQS has no ${asked}: it has ${names}, as awsJson1.0.`,
  );
};

const parseBody = (body: Buffer): Fields => {
  let value: unknown;
  try {
    value = JSON.parse(body.length === 0 ? '{}' : body.toString());
  } catch (cause) {
    throw new SqsError('SerializationException', 'The body is not JSON.', { cause });
  }
  return toFields(value, 'The body');
};

const sendError = (response: ServerResponse, { type, queryCode, message, isCallersFault }: SqsError): void =>
  send(response, isCallersFault ? 400 : 500, {
    headers: { 'x-amzn-query-error': `${queryCode};${isCallersFault ? 'Sender' : 'Receiver'}` },
    body: { __type: `com.amazonaws.sqs#${type}`, message },
  });

const send = (
  response: ServerResponse,
  status: number,
  { headers = {}, body }: { readonly headers?: Readonly<Record<string, string>>; readonly body: Fields },
): void => {
  const text = JSON.stringify(body);
  const length = { 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, { ...TYPE, 'x-amzn-requestid': randomUUID(), ...length, ...headers }).end(text);
};
