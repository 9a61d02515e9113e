import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import type { Account } from './account.ts';
import { createControlPlaneRate } from './control-plane-rate.ts';
import type { Functions } from './functions.ts';
import type { InvokeCall, InvokeResult } from './lambda.ts';
import { invalidParameter, LambdaError } from './lambda-error.ts';
import { concurrencyOperations } from './rest-concurrency.ts';
import { functionOperations } from './rest-functions.ts';
import { createInvokeOperation } from './rest-invoke.ts';
import { provisionedOperations } from './rest-provisioned.ts';
import { type Answer, operation, path } from './rest-route.ts';

export interface RestApiOptions {
  readonly functions: Functions;
  readonly account: Account;
  readonly invoke: (call: InvokeCall) => Promise<InvokeResult>;
  /** Whether the bounds on the rate of calls other than Invoke hold. */
  readonly isBounded: boolean;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * Lambda's REST API: Invoke in its three types, concurrency, aliases, and what one needs to look around. Lists come
 * whole, on one page, but for that of provisioned concurrency. Signatures are not verified.
 */
export const createRestApi = (options: RestApiOptions) => {
  const operations = [
    operation('POST', path('2015-03-31', '/invocations'), createInvokeOperation(options), 'invoke'),
    ...provisionedOperations(options),
    ...concurrencyOperations(options),
    ...functionOperations(options),
  ];
  const admit = options.isBounded ? createControlPlaneRate(options.now) : () => undefined;

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const [pathname = '/', query] = (request.url ?? '/').split('?', 2);
    const search = new URLSearchParams(query);
    for (const { method, path: pattern, rate, run } of operations) {
      const match = request.method === method ? pattern.exec(pathname) : null;
      if (match === null) continue;
      admit(rate);
      const { name, qualifier } = parseName(decode(match[1]));
      const asked = search.get('Qualifier') ?? qualifier;
      return run({ name, qualifier: asked, part: decode(match[2]), search, request });
    }
    throw new LambdaError('NotImplemented', 501, `The local Lambda has no ${request.method} ${pathname}`);
  };

  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request)
      .catch((error: unknown) => encodeError(error, options.onError))
      .then(({ status, headers, body }) => {
        const always = { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID() };
        const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
        response.writeHead(status, { ...always, ...length, ...headers }).end(body);
      })
      .catch(options.onError);
  };
};

/** @throws LambdaError for a `%` that starts no escape. */
const decode = (part = ''): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalidParameter(`malformed path: ${part}`);
  }
};

/** `name`, `name:qualifier`, `123:function:name`, or an ARN with or without a qualifier. */
const parseName = (text: string): { name: string; qualifier: string | undefined } => {
  const [, tail = text] = /(?:^|:)function:(.+)$/.exec(text) ?? [];
  const [name = '', qualifier] = tail.split(':');
  return { name, qualifier };
};

/** As Lambda answers errors. */
export const encodeError = (error: unknown, onError: (error: unknown) => void): Answer => {
  if (!(error instanceof LambdaError)) onError(error);
  const known =
    error instanceof LambdaError ? error : new LambdaError('ServiceException', 500, 'internal failure');
  return {
    status: known.status,
    headers: {
      'x-amzn-errortype': known.type,
      ...(known.retryAfterSeconds === undefined ? {} : { 'retry-after': String(known.retryAfterSeconds) }),
    },
    body: JSON.stringify({
      Type: known.status < 500 ? 'User' : 'Service',
      Message: known.message,
      ...(known.reason && { Reason: known.reason }),
    }),
  };
};
