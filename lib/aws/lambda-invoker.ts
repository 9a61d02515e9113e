import { InvokeCommand, LambdaClient, type TooManyRequestsException } from '@aws-sdk/client-lambda';
import { ServingError } from '../errors.ts';
import type { InferenceCall, InferenceReply } from '../protocol/envelope.ts';
import { type Invoker, Throttled } from '../routing/invoker.ts';

/** Lambda's bound on a synchronous event, in bytes of JSON (Lambda quotas: 6 MB each way). */
const MAX_EVENT_BYTES = 6_291_456;

/** Throttles that concern the account as a whole (Lambda API, TooManyRequestsException.Reason). */
const ACCOUNT_REASONS: ReadonlySet<string | undefined> = new Set([
  'ConcurrentInvocationLimitExceeded',
  'CallerRateLimitExceeded',
]);

/**
 * One attempt: an inference call that failed may have run, and who tries again, and where, is the router's
 * decision. The answer is waited for as long as the door stays open.
 */
export const createLambdaClient = ({ answerWithinMs }: { readonly answerWithinMs: number }): LambdaClient =>
  new LambdaClient({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: 2000,
      requestTimeout: answerWithinMs,
      throwOnRequestTimeout: true,
    },
  });

/** Calls inference functions through Lambda's Invoke API. */
export const lambdaInvoker = (client: LambdaClient): Invoker => ({
  async invoke({ functionName, qualifier }, call) {
    const payload = Buffer.from(JSON.stringify(call));
    if (payload.length > MAX_EVENT_BYTES) throw tooLarge(call, payload.length);

    const output = await client
      .send(new InvokeCommand({ FunctionName: functionName, Qualifier: qualifier, Payload: payload }))
      .catch((error: unknown) => {
        throw translate(error);
      });

    const text = Buffer.from(output.Payload ?? []).toString();
    if (output.FunctionError !== undefined) throw functionFailed(call.model, text);
    return parseReply(text);
  },
});

const tooLarge = (call: InferenceCall, sizeBytes: number): ServingError =>
  new ServingError(
    'ValidationError',
    `the request is too large: ${sizeBytes} bytes as a Lambda event${call.isBase64Encoded ? ' (binary bodies travel as base64)' : ''}, ` +
      `at most ${MAX_EVENT_BYTES} are possible; send fewer rows per request, or call InvokeEndpointAsync with the input in S3`,
  );

const translate = (error: unknown): unknown => {
  if (!(error instanceof Error)) return error;
  if (error.name === 'TooManyRequestsException') {
    const { Reason, retryAfterSeconds } = error as TooManyRequestsException;
    const scope = ACCOUNT_REASONS.has(Reason) ? 'account' : 'function';
    return new Throttled(scope, Math.max(1, Number(retryAfterSeconds) || 1), { cause: error });
  }
  if (isTimeUp(error)) {
    return new ServingError(
      'ModelNotReadyException',
      'the model was still loading or running when the time for an answer was up; try again',
      { cause: error },
    );
  }
  // No answer at all: the connection was refused or reset. The SDK gives such errors no HTTP status.
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (status === undefined || status >= 500) {
    return new ServingError('ServiceUnavailable', 'Lambda could not be reached; try again', { cause: error });
  }
  return error;
};

/** The SDK names a broken connection (ECONNRESET, EPIPE) TimeoutError too; only the code tells them apart. */
const isTimeUp = (error: Error): boolean => {
  const { code } = error as NodeJS.ErrnoException;
  return error.name === 'TimeoutError' && code !== 'ECONNRESET' && code !== 'EPIPE';
};

/** What Lambda itself says of a run that gave no reply: {"errorType", "errorMessage"}. */
const functionFailed = (model: string, payload: string): ServingError => {
  const { errorType, errorMessage } = parseFunctionError(payload);
  const lost = { cause: new Error(`${errorType}: ${errorMessage}`), isWorkerLost: true };

  if (errorType === 'Sandbox.Timedout' || errorMessage.includes('Task timed out')) {
    return new ServingError(
      'ModelError',
      `model ${model} did not answer within the worker's time limit`,
      lost,
    );
  }
  if (errorType === 'Runtime.OutOfMemory') {
    return new ServingError(
      'ModelError',
      `model ${model} needed more memory than a worker has; deploy with a larger inferenceMemory (serverless.yml), or send fewer rows`,
      lost,
    );
  }
  return new ServingError(
    'ServiceUnavailable',
    `the worker serving model ${model} was lost; try again`,
    lost,
  );
};

const parseFunctionError = (payload: string): { errorType: string; errorMessage: string } => {
  try {
    const { errorType, errorMessage } = JSON.parse(payload) as Record<string, unknown>;
    return { errorType: String(errorType), errorMessage: String(errorMessage) };
  } catch {
    return { errorType: 'Unknown', errorMessage: payload.slice(0, 200) };
  }
};

/** Both sides are deployed together, so the shape is trusted once it is seen to be a reply at all. */
const parseReply = (text: string): InferenceReply => {
  const reply = JSON.parse(text) as InferenceReply | null;
  if (typeof reply?.ok !== 'boolean') {
    throw new Error('the inference function answered something that is no InferenceReply');
  }
  return reply;
};
