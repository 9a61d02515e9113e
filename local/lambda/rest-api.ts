import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../read-body.ts';
import { type FunctionConfig, functionArn } from './function-config.ts';
import type { InvokeCall, InvokeResult } from './lambda.ts';
import { LambdaError } from './lambda-error.ts';

/** Lambda's bound on a synchronous event (its own message names this number). */
const MAX_EVENT_BYTES = 6_291_456;
const MAX_PENDING_EVENTS = 1000;

export interface RestApiOptions {
  readonly find: (
    functionName: string,
    qualifier?: string,
  ) => { readonly config: FunctionConfig; readonly version: string };
  readonly invoke: (call: InvokeCall) => Promise<InvokeResult>;
  readonly functions: readonly FunctionConfig[];
  readonly onError: (error: unknown) => void;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Asked {
  readonly name: string;
  readonly qualifier: string | undefined;
  readonly request: IncomingMessage;
}

/**
 * Lambda's REST API (2015-03-31): Invoke in its three types, and what one needs to look around. Signatures are not
 * verified. An asynchronous event (type `Event`) runs once; AWS would retry one that fails twice.
 */
export const createRestApi = ({ find, invoke, functions, onError }: RestApiOptions) => {
  let pendingEvents = 0;

  const invokeLater = (call: InvokeCall): void => {
    if (pendingEvents >= MAX_PENDING_EVENTS) {
      throw new LambdaError('TooManyRequestsException', 429, 'too many asynchronous events wait', {
        reason: 'CallerRateLimitExceeded',
        retryAfterSeconds: 1,
      });
    }
    pendingEvents++;
    invoke(call)
      .catch(onError)
      .finally(() => {
        pendingEvents--;
      });
  };

  const operations: readonly (readonly [
    method: string,
    path: RegExp,
    (asked: Asked) => Promise<Answer> | Answer,
  ])[] = [
    [
      'POST',
      /^\/2015-03-31\/functions\/([^/]+)\/invocations$/,
      async ({ name, qualifier, request }) => {
        const { version } = find(name, qualifier);
        const payload = await readPayload(request);
        const tail = request.headers['x-amz-log-type'] === 'Tail';
        const call = { functionName: name, ...(qualifier === undefined ? {} : { qualifier }), payload, tail };

        const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
        const headers = { 'x-amz-executed-version': version };
        if (type === 'DryRun') return { status: 204, headers, body: '' };
        if (type === 'Event') {
          invokeLater(call);
          return { status: 202, headers, body: '' };
        }
        if (type !== 'RequestResponse')
          throw invalid(`InvocationType ${String(type)} is none of RequestResponse, Event, DryRun`);
        return encodeResult(await invoke(call));
      },
    ],
    [
      'GET',
      /^\/2015-03-31\/functions\/([^/]+)\/configuration$/,
      ({ name, qualifier }) => json(describe(find(name, qualifier))),
    ],
    [
      'GET',
      /^\/2015-03-31\/functions\/([^/]+)\/aliases$/,
      ({ name }) => json({ Aliases: aliasesOf(find(name).config) }),
    ],
    [
      'GET',
      /^\/2015-03-31\/functions\/([^/]+)$/,
      ({ name, qualifier }) => json({ Configuration: describe(find(name, qualifier)) }),
    ],
    [
      'GET',
      /^\/2015-03-31\/functions\/?$/,
      () => json({ Functions: functions.map((config) => describe({ config, version: '$LATEST' })) }),
    ],
  ];

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    for (const [method, path, operation] of operations) {
      const match = path.exec(pathname);
      if (match === null || request.method !== method) continue;
      const { name, qualifier } = parseName(decodeURIComponent(match[1] ?? ''));
      return operation({ name, qualifier: searchParams.get('Qualifier') ?? qualifier, request });
    }
    throw new LambdaError('NotImplemented', 501, `The local Lambda has no ${request.method} ${pathname}`);
  };

  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request)
      .catch((error: unknown) => encodeError(error, onError))
      .then(({ status, headers, body }) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
      })
      .catch(onError);
  };
};

/** `name`, `name:qualifier`, `123:function:name`, or an ARN with or without a qualifier. */
const parseName = (text: string): { name: string; qualifier: string | undefined } => {
  const [, tail = text] = /(?:^|:)function:(.+)$/.exec(text) ?? [];
  const [name = '', qualifier] = tail.split(':');
  return { name, qualifier };
};

/** @throws LambdaError as Invoke does: 413 for size, 400 for what is not JSON; an empty body is an empty event. */
const readPayload = async (request: IncomingMessage): Promise<string> => {
  const body = await readBody(request, MAX_EVENT_BYTES);
  if (body === undefined) {
    throw new LambdaError(
      'RequestTooLargeException',
      413,
      `Request must be smaller than ${MAX_EVENT_BYTES} bytes for the InvokeFunction operation`,
    );
  }
  if (body.length === 0) return '{}';
  const text = body.toString();
  try {
    JSON.parse(text);
  } catch (cause) {
    const message = `Could not parse request body into json: ${(cause as Error).message}`;
    throw new LambdaError('InvalidRequestContentException', 400, message, { cause });
  }
  return text;
};

const encodeResult = (result: InvokeResult): Answer => ({
  status: 200,
  headers: {
    'x-amz-executed-version': result.executedVersion,
    'x-amzn-requestid': result.requestId,
    ...(result.functionError === undefined ? {} : { 'x-amz-function-error': result.functionError }),
    ...(result.log === undefined ? {} : { 'x-amz-log-result': Buffer.from(result.log).toString('base64') }),
  },
  body: result.payload,
});

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
      Type: 'User',
      Message: known.message,
      ...(known.reason && { Reason: known.reason }),
    }),
  };
};

const describe = ({ config, version }: { config: FunctionConfig; version: string }): object => ({
  FunctionName: config.name,
  FunctionArn: functionArn(config, version === '$LATEST' ? undefined : version),
  Version: version,
  Handler: config.handler,
  MemorySize: config.memorySizeMb,
  Timeout: config.timeoutSeconds,
  EphemeralStorage: { Size: config.ephemeralStorageMb },
  State: 'Active',
  LastUpdateStatus: 'Successful',
});

const aliasesOf = (config: FunctionConfig): readonly object[] =>
  Object.entries(config.aliases).map(([name, version]) => ({
    Name: name,
    FunctionVersion: version,
    AliasArn: functionArn(config, name),
  }));

const json = (value: object): Answer => ({ status: 200, body: JSON.stringify(value) });

const invalid = (message: string): LambdaError =>
  new LambdaError('InvalidParameterValueException', 400, message);
