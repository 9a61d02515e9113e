import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import { createRouteTable } from '../../lib/route-table.ts';
import type { DeployedRoute } from '../deployment/template.ts';
import type { LambdaService } from '../lambda/lambda.ts';
import { LambdaError } from '../lambda/lambda-error.ts';
import { readBody } from '../read-body.ts';
import { toEvent } from './event.ts';

/** Quotas of an HTTP API (docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html). */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const MAX_HEADER_BYTES = 10_240;

export interface HttpApiOptions {
  readonly routes: readonly DeployedRoute[];
  readonly lambda: Pick<LambdaService, 'invoke'>;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/**
 * API Gateway's HTTP API in front of the functions, or, with the one route `$default`, a function URL, whose events are the same. One difference: a function that has no free environment is
 * answered 429 here, so that callers back off; AWS's front door turns that into a 503.
 */
export const createHttpApi = ({ routes, lambda, now, onError }: HttpApiOptions) => {
  const findRoute = createRouteTable(routes);

  const answer = async (request: IncomingMessage, requestId: string): Promise<Answer> => {
    if (isMalformed(request)) return message(400, 'Bad Request');
    if (headerBytes(request) > MAX_HEADER_BYTES) return message(431, 'Request Header Fields Too Large');
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const match = findRoute(request.method ?? 'GET', path);
    if (match === undefined) return message(404, 'Not Found');
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body === undefined) return message(413, 'Request Entity Too Large');

    const { route, pathParameters } = match;
    const event = toEvent({
      request,
      body,
      routeKey: route.routeKey,
      pathParameters,
      requestId,
      nowMs: now(),
    });
    const call = lambda.invoke({
      functionName: route.target.functionName,
      ...(route.target.qualifier === undefined ? {} : { qualifier: route.target.qualifier }),
      payload: JSON.stringify(event),
    });
    const result = await within(route.timeoutMs, call);
    if (result === undefined) return message(503, 'Service Unavailable');
    return result.functionError === undefined
      ? parseResult(result.payload)
      : message(500, 'Internal Server Error');
  };

  return (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = randomUUID();
    answer(request, requestId)
      // Whoever breaks off in the middle of a body reads no answer.
      .catch((error: unknown) => (request.complete ? fail(error, onError) : message(400, 'Bad Request')))
      .then(({ status, headers, body }) => {
        const length = { 'content-length': Buffer.byteLength(body) };
        response.writeHead(status, { ...headers, ...length, 'apigw-requestid': requestId }).end(body);
      })
      .catch(onError);
  };
};

const fail = (error: unknown, onError: (error: unknown) => void): Answer => {
  if (error instanceof LambdaError && error.status === 429) return BUSY;
  // The local cloud is being stopped, which whoever stopped it knows.
  if (error instanceof LambdaError && error.type === 'ServiceException')
    return message(503, 'Service Unavailable');
  if (error instanceof LambdaError && error.status === 413) return message(413, 'Request Entity Too Large');
  onError(error);
  return message(500, 'Internal Server Error');
};

const BUSY: Answer = {
  status: 429,
  headers: {
    'content-type': 'application/json',
    'x-amzn-errortype': 'ThrottlingException',
    'retry-after': '1',
  },
  body: JSON.stringify({ Message: 'every environment of the router is busy; try again shortly' }),
};

const message = (status: number, text: string): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message: text }),
});

/** A function's result: the structured form, or anything else as a JSON body, as payload format 2.0 says. */
const parseResult = (payload: string): Answer => {
  const result: unknown = JSON.parse(payload);
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: payload };
  }
  const { statusCode, headers, body, isBase64Encoded } = result as {
    statusCode: number;
    headers?: Record<string, string>;
    body?: string;
    isBase64Encoded?: boolean;
  };
  return {
    status: statusCode,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
    body: isBase64Encoded ? Buffer.from(body ?? '', 'base64') : (body ?? ''),
  };
};

/** What Node's parser lets through and no front door does: another protocol, and two hosts (RFC 9112, 3.2). */
const isMalformed = ({ httpVersion, rawHeaders }: IncomingMessage): boolean => {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1 || (httpVersion !== '1.1' && httpVersion !== '1.0');
};

/** The request line counts as well. */
const headerBytes = ({ url = '', rawHeaders }: IncomingMessage): number => {
  let bytes = url.length;
  for (const part of rawHeaders) bytes += part.length + 2;
  return bytes;
};

/** @returns `undefined` when the time is up; the function runs on, as on AWS. */
const within = <T>(timeoutMs: number, work: Promise<T>): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, timeoutMs, undefined);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
