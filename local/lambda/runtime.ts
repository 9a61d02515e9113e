/**
 * What runs inside an execution environment: Lambda's runtime, with messages from the parent process in place of the
 * Runtime API. It loads the handler as Lambda does and hands it one event at a time. Unlike Lambda's, it is not
 * frozen between events.
 */
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { Channel } from './channel.ts';
import { installInvokeShortcut } from './invoke-shortcut.ts';
import { type Handler, loadHandler } from './load-handler.ts';
import {
  CHANNEL_FD,
  type EventMessage,
  endOfLog,
  type InvokedMessage,
  type RuntimeMessage,
} from './messages.ts';
import { encodeFailure, RuntimeError } from './runtime-error.ts';

// Taken before the handler is loaded, which may put its own in their place.
const printOut = process.stdout.write.bind(process.stdout);
const printError = process.stderr.write.bind(process.stderr);

let onMessage: (message: EventMessage | InvokedMessage, text: string) => void = () => undefined;
const pipe = new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
const channel = new Channel<RuntimeMessage, EventMessage | InvokedMessage>(pipe, (message, text) =>
  onMessage(message, text),
);
const send = (message: RuntimeMessage, text: string): void => channel.send(message, text);

const report = (kind: string, error: unknown): void => {
  printError(`ERROR\t${kind}\t${encodeFailure(error)}\n`);
};

/** Says why, and ends: an environment that threw outside of an event, or could not start, is not used again. */
const fail = (kind: string, error: unknown, exitCode: number): void => {
  report(kind, error);
  channel.send({ kind: 'fatal' }, encodeFailure(error), () => process.exit(exitCode));
};

/** Read once, as each look at the process's environment takes a microsecond. */
const {
  AWS_LAMBDA_FUNCTION_NAME: functionName,
  AWS_LAMBDA_FUNCTION_VERSION: functionVersion,
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memoryLimitInMB,
  AWS_LAMBDA_LOG_GROUP_NAME: logGroupName,
  AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
} = process.env;

const createContext = (event: EventMessage): object => ({
  awsRequestId: event.requestId,
  invokedFunctionArn: event.arn,
  functionName,
  functionVersion,
  memoryLimitInMB,
  logGroupName,
  logStreamName,
  clientContext: event.clientContext === undefined ? undefined : JSON.parse(event.clientContext),
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Math.max(0, event.deadlineMs - Date.now()),
});

const run = async (
  handler: Handler,
  event: EventMessage,
  payload: string,
): Promise<readonly [RuntimeMessage, string]> => {
  let input: unknown;
  try {
    input = JSON.parse(payload);
  } catch (error) {
    return [{ kind: 'unreadable' }, String(error)];
  }
  try {
    return [{ kind: 'answer' }, encodeResult(await handler(input, createContext(event)))];
  } catch (error) {
    report('Invoke Error', error);
    return [{ kind: 'failed' }, encodeFailure(error)];
  }
};

/** An undefined result is `null`, as on Lambda. */
const encodeResult = (result: unknown): string => {
  try {
    return JSON.stringify(result) ?? 'null';
  } catch (cause) {
    throw new RuntimeError('Runtime.JSONStringifyError', 'Unable to stringify response body', { cause });
  }
};

const { AWS_ENDPOINT_URL: endpoint, LOCAL_INVOKE: how } = process.env;
const onInvoked =
  endpoint !== undefined && how === 'message' ? installInvokeShortcut(new URL(endpoint), send) : undefined;
// The function is not to know.
delete process.env['LOCAL_INVOKE'];

const serve = (handler: Handler): void => {
  let isFirst = true;
  onMessage = async (event, text) => {
    if (event.kind === 'invoked') return onInvoked?.(event, text);
    const [answer, payload] = await run(handler, event, text);
    if (event.markLog) {
      printOut(endOfLog(event.requestId));
      printError(endOfLog(event.requestId));
    }
    send(answer, payload);
    // Once it has run, so that what was compiled on the way is kept as well; a killed process would keep nothing.
    if (isFirst) setImmediate(flushCompileCache);
    isFirst = false;
  };
};

// Ctrl-C reaches the whole process group; when to end is the parent's decision, and its end is ours.
process.on('SIGINT', () => undefined);
pipe.on('close', () => process.exit(0));
// Exit codes as in Lambda's runtime.
process.on('uncaughtException', (error) => fail('Uncaught Exception', error, 129));
process.on('unhandledRejection', (reason) => {
  fail(
    'Unhandled Promise Rejection',
    new RuntimeError('Runtime.UnhandledPromiseRejection', String(reason)),
    128,
  );
});

try {
  const { LAMBDA_TASK_ROOT: root = '', _HANDLER: name = '' } = process.env;
  serve(await loadHandler(root, name));
  send({ kind: 'ready' }, '');
} catch (error) {
  fail('Init Error', error, 1);
}
