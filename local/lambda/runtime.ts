/**
 * What runs inside an execution environment: Lambda's runtime, with messages from the parent process in place of the
 * Runtime API. It loads the handler as Lambda does and hands it one event at a time. While it waits for the next it is blocked, so that
 * nothing of a function runs after its answer, as in an environment that Lambda has frozen.
 */
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { BlockingChannel } from './blocking-channel.ts';
import { Channel } from './channel.ts';
import { installInvokeShortcut } from './invoke-shortcut.ts';
import { type Handler, loadHandler } from './load-handler.ts';
import {
  EVENT_FD,
  type EventMessage,
  endOfLog,
  INVOKED_FD,
  type InvokedMessage,
  type RuntimeMessage,
} from './messages.ts';
import { encodeFailure, RuntimeError } from './runtime-error.ts';

// Taken before the handler is loaded, which may put its own in their place.
const printOut = process.stdout.write.bind(process.stdout);
const printError = process.stderr.write.bind(process.stderr);

const channel = new BlockingChannel<RuntimeMessage, EventMessage>(EVENT_FD);
const send = (message: RuntimeMessage, text: string): void => channel.send(message, text);

const printed = (): Promise<unknown> =>
  Promise.all([printOut, printError].map((print) => new Promise((resolve) => print('', resolve))));

const report = (kind: string, error: unknown): void => {
  printError(`ERROR\t${kind}\t${encodeFailure(error)}\n`);
};

/** The event that has been received and not answered. */
let running: string | undefined;

/** Says why, and ends: an environment that threw outside of an event, or could not start, is not used again. */
const fail = (kind: string, error: unknown, exitCode: number): void => {
  report(kind, error);
  send({ kind: 'fatal', requestId: running }, encodeFailure(error));
  process.exit(exitCode);
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
  endpoint !== undefined && how === 'message'
    ? installInvokeShortcut(new URL(endpoint), send)
    : (): void => undefined;
// The function is not to know.
delete process.env['LOCAL_INVOKE'];
const invokedPipe = new Socket({ fd: INVOKED_FD, readable: true, writable: true });
new Channel<never, InvokedMessage>(invokedPipe, onInvoked);

const serve = async (handler: Handler): Promise<never> => {
  for (let isFirst = true; ; isFirst = false) {
    const [event, text] = channel.receive();
    running = event.requestId;
    const [answer, payload] = await run(handler, event, text);
    if (event.markLog) {
      printOut(endOfLog(event.requestId));
      printError(endOfLog(event.requestId));
    }
    send(answer, payload);
    running = undefined;
    // Once it has run, so that what was compiled on the way is kept as well; a killed process would keep nothing.
    if (isFirst) flushCompileCache();
    // Before everything stands still: what it has printed leaves, and what is due is run.
    if (process.stdout.writableLength + process.stderr.writableLength > 0) await printed();
    await turn();
  }
};

// Ctrl-C reaches the whole process group; when to end is the parent's decision, and its end is ours.
process.on('SIGINT', () => undefined);
invokedPipe.on('close', () => process.exit(0));
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
  const handler = await loadHandler(root, name);
  send({ kind: 'ready' }, '');
  void serve(handler);
} catch (error) {
  fail('Init Error', error, 1);
}
