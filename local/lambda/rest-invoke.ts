import type { IncomingMessage } from 'node:http';
import { readBody } from '../read-body.ts';
import type { InvokeCall, InvokeResult } from './lambda.ts';
import { eventTooLarge, invalidParameter, LambdaError, unreadableEvent } from './lambda-error.ts';
import { MAX_EVENT_BYTES } from './limits.ts';
import type { RestApiOptions } from './rest-api.ts';
import type { Answer, Asked } from './rest-route.ts';

const MAX_PENDING_EVENTS = 1000;

/**
 * Invoke. An event that is answered for is parsed only by its function; the other two types are answered before any
 * function runs, so theirs is parsed here. An asynchronous event (type `Event`) runs once: AWS would retry one that
 * fails twice more, and one that is throttled for six hours.
 */
export const createInvokeOperation = ({ functions, invoke, onError }: RestApiOptions) => {
  let pendingEvents = 0;

  const invokeLater = (call: InvokeCall): void => {
    if (pendingEvents >= MAX_PENDING_EVENTS) throw tooManyEvents();
    pendingEvents++;
    invoke(call)
      .catch(onError)
      .finally(() => {
        pendingEvents--;
      });
  };

  return async ({ name, qualifier, request }: Asked): Promise<Answer> => {
    const { version } = functions.find(name, qualifier);
    const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
    if (type !== 'RequestResponse' && type !== 'Event' && type !== 'DryRun') {
      throw invalidParameter(`InvocationType ${String(type)} is none of RequestResponse, Event, DryRun`);
    }
    const call = await readCall(request, name, qualifier);
    if (type === 'RequestResponse') return encodeResult(await invoke(call));

    checkJson(call.payload);
    if (type === 'Event') invokeLater(call);
    return { status: type === 'Event' ? 202 : 204, headers: { 'x-amz-executed-version': version }, body: '' };
  };
};

/** An empty body is an empty event. */
const readCall = async (
  request: IncomingMessage,
  functionName: string,
  qualifier: string | undefined,
): Promise<InvokeCall> => {
  const clientContext = readClientContext(request);
  const body = await readBody(request, MAX_EVENT_BYTES);
  if (body === undefined) throw eventTooLarge(MAX_EVENT_BYTES);
  return {
    functionName,
    ...(qualifier === undefined ? {} : { qualifier }),
    payload: body.length === 0 ? '{}' : body.toString(),
    tail: request.headers['x-amz-log-type'] === 'Tail',
    ...(clientContext === undefined ? {} : { clientContext }),
  };
};

const readClientContext = ({ headers }: IncomingMessage): string | undefined => {
  const header = headers['x-amz-client-context'];
  if (typeof header !== 'string') return undefined;
  const text = Buffer.from(header, 'base64').toString();
  try {
    JSON.parse(text);
  } catch (cause) {
    const message = 'Client context must be a valid Base64-encoded JSON object.';
    throw new LambdaError('InvalidRequestContentException', 400, message, { cause });
  }
  return text;
};

const checkJson = (payload: string): void => {
  try {
    JSON.parse(payload);
  } catch (error) {
    throw unreadableEvent(String(error));
  }
};

const tooManyEvents = (): LambdaError =>
  new LambdaError('TooManyRequestsException', 429, 'too many asynchronous events wait', {
    reason: 'CallerRateLimitExceeded',
    retryAfterSeconds: 1,
  });

/** As Lambda answers a call. */
export const encodeResult = (result: InvokeResult): Answer => ({
  status: 200,
  headers: {
    'x-amz-executed-version': result.executedVersion,
    'x-amzn-requestid': result.requestId,
    ...(result.functionError === undefined ? {} : { 'x-amz-function-error': result.functionError }),
    ...(result.log === undefined ? {} : { 'x-amz-log-result': Buffer.from(result.log).toString('base64') }),
  },
  body: result.payload,
});
