/**
 * What runs inside an execution environment: Lambda's runtime, with messages from the parent process in place of the
 * Runtime API. It loads the handler as Lambda does and hands it one event at a time. Unlike Lambda's, it is not
 * frozen between events.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type EventMessage, endOfLog, type RuntimeMessage } from './messages.ts';

type Handler = (event: unknown, context: object) => unknown;

const send = (message: RuntimeMessage): void => {
  process.send?.(message);
};

class RuntimeError extends Error {
  constructor(name: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}

const loadHandler = async (root: string, handler: string): Promise<Handler> => {
  const [moduleName = '', ...exported] = basename(handler).split('.');
  const path = join(root, dirname(handler), moduleName);
  const file = ['', '.js', '.mjs', '.cjs']
    .map((extension) => path + extension)
    .find((each) => existsSync(each));
  if (file === undefined)
    throw new RuntimeError('Runtime.ImportModuleError', `Cannot find module '${moduleName}'`);

  const module: Record<string, unknown> = await import(pathToFileURL(file).href);
  const namespace = { ...(module['default'] as object | undefined), ...module };
  const found = exported.reduce<unknown>(
    (value, key) => (value as Record<string, unknown>)?.[key],
    namespace,
  );
  if (typeof found !== 'function') {
    throw new RuntimeError('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  }
  return found as Handler;
};

const createContext = (event: EventMessage): object => ({
  awsRequestId: event.requestId,
  invokedFunctionArn: event.arn,
  functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
  functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
  memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
  logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
  logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Math.max(0, event.deadlineMs - Date.now()),
});

/** The answer of Lambda's Node runtime to a throw. */
const encodeFailure = (error: unknown): string => {
  const known = error instanceof Error ? error : new Error(String(error));
  return JSON.stringify({
    errorType: known.name,
    errorMessage: known.message,
    trace: (known.stack ?? '').split('\n'),
  });
};

const run = async (handler: Handler, event: EventMessage): Promise<RuntimeMessage> => {
  try {
    const result = await handler(JSON.parse(event.payload), createContext(event));
    return { kind: 'answer', payload: JSON.stringify(result) ?? 'null' };
  } catch (error) {
    return { kind: 'failed', payload: encodeFailure(error) };
  }
};

// Ctrl-C reaches the whole process group; when to end is the parent's decision, and its end is ours.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));

try {
  const { LAMBDA_TASK_ROOT: root = '', _HANDLER: name = '' } = process.env;
  const handler = await loadHandler(root, name);
  process.on('message', async (event: EventMessage) => {
    const answer = await run(handler, event);
    if (event.markLog) process.stdout.write(`${endOfLog(event.requestId)}\n`);
    send(answer);
  });
  send({ kind: 'ready' });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  send({ kind: 'failed', payload: encodeFailure(error) });
}
