import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeAlias, describeAliases, describeFunction, describeVersions } from './describe-function.ts';
import type { FunctionConfig } from './function-config.ts';
import type { InvokeCall, InvokeResult } from './lambda.ts';
import { invalidParameter, LambdaError } from './lambda-error.ts';
import { createInvokeOperation } from './rest-invoke.ts';

export interface RestApiOptions {
  /** @throws LambdaError ResourceNotFoundException. */
  readonly find: (
    functionName: string,
    qualifier?: string,
  ) => { readonly config: FunctionConfig; readonly version: string };
  readonly invoke: (call: InvokeCall) => Promise<InvokeResult>;
  readonly functions: readonly FunctionConfig[];
  readonly onError: (error: unknown) => void;
}

export interface Asked {
  readonly name: string;
  readonly qualifier: string | undefined;
  /** What the path names below the function: an alias. */
  readonly part: string;
  readonly request: IncomingMessage;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

type Operation = readonly [method: string, path: RegExp, run: (asked: Asked) => Promise<Answer> | Answer];

/**
 * Lambda's REST API (2015-03-31): Invoke in its three types, and what one needs to look around. Lists come whole, on
 * one page. Signatures are not verified.
 */
export const createRestApi = (options: RestApiOptions) => {
  const operations = [
    ['POST', path('/invocations'), createInvokeOperation(options)] as const,
    ...lookingAround(options),
  ];

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const [pathname = '/', query] = (request.url ?? '/').split('?', 2);
    const searchParams = new URLSearchParams(query);
    for (const [method, pattern, run] of operations) {
      const match = request.method === method ? pattern.exec(pathname) : null;
      if (match === null) continue;
      const { name, qualifier } = parseName(decode(match[1]));
      const asked = searchParams.get('Qualifier') ?? qualifier;
      return run({ name, qualifier: asked, part: decode(match[2]), request });
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

const lookingAround = ({ find, functions }: RestApiOptions): readonly Operation[] => [
  ['GET', path('/configuration'), ({ name, qualifier }) => json(describe(find(name, qualifier)))],
  ['GET', path('/aliases'), ({ name }) => json({ Aliases: describeAliases(find(name).config) })],
  ['GET', path('/aliases/([^/]+)'), ({ name, part }) => json(describeAlias(find(name).config, part))],
  ['GET', path('/versions'), ({ name }) => json({ Versions: describeVersions(find(name).config) })],
  ['GET', path(''), ({ name, qualifier }) => json({ Configuration: describe(find(name, qualifier)) })],
  [
    'GET',
    /^\/2015-03-31\/functions\/?$/,
    () => json({ Functions: functions.map((config) => describeFunction(config, '$LATEST')) }),
  ],
];

const describe = ({ config, version }: { config: FunctionConfig; version: string }): object =>
  describeFunction(config, version);

const path = (below: string): RegExp => new RegExp(`^/2015-03-31/functions/([^/]+)${below}$`);

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

const encodeError = (error: unknown, onError: (error: unknown) => void): Answer => {
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

const json = (value: object): Answer => ({ status: 200, body: JSON.stringify(value) });
