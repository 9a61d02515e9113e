import type { IncomingMessage } from 'node:http';
import { ServingError } from '../errors.ts';
import type { InferenceCall, InferenceReply } from '../protocol/envelope.ts';
import { type Invoker, TargetGone, Throttled } from '../routing/invoker.ts';
import { encodeSegment } from './sign.ts';
import { type AwsEnvironment, createSignedRequests, readText } from './signed-requests.ts';

/** Lambda's bound on a synchronous event, in bytes of JSON (Lambda quotas: 6 MB each way). */
const MAX_EVENT_BYTES = 6_291_456;

/** Throttles that concern the account as a whole (Lambda API, TooManyRequestsException.Reason). */
const ACCOUNT_REASONS: ReadonlySet<string | undefined> = new Set([
  'ConcurrentInvocationLimitExceeded',
  'CallerRateLimitExceeded',
]);

/** An answer's bound, with what JSON adds to it. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * Calls inference functions through Lambda's Invoke API, by plain signed requests: the SDK's client took half of a router's CPU
 * and of its bundle. One attempt: an inference call that failed may have run, and who tries again, and where, is the router's decision. The
 * answer is waited for as long as the call says, at most `answerWithinMs`.
 */
export const lambdaInvoker = (
  environment: AwsEnvironment,
  { answerWithinMs }: { readonly answerWithinMs: number },
): Invoker => {
  const requests = createSignedRequests({
    service: 'lambda',
    environment,
    attempts: 1,
    idleMs: answerWithinMs,
  });

  return {
    async invoke({ functionName, qualifier }, call) {
      const body = Buffer.from(JSON.stringify(call));
      if (body.length > MAX_EVENT_BYTES) throw tooLarge(call, body.length);

      const path = `/2015-03-31/functions/${encodeSegment(functionName)}/invocations?Qualifier=${encodeSegment(qualifier)}`;
      try {
        const response = await requests.send({
          action: 'lambda:InvokeFunction',
          method: 'POST',
          path,
          headers: { 'content-type': 'application/json' },
          body,
          ...(call.remainingMs === undefined ? {} : { idleMs: Math.max(1, call.remainingMs) }),
        });
        const text = await readText(response, MAX_ANSWER_BYTES);
        if (response.statusCode !== 200) throw refusal(response, text);
        if (response.headers['x-amz-function-error'] !== undefined) throw functionFailed(call.model, text);
        return parseReply(text);
      } catch (error) {
        throw translate(error);
      }
    },
  };
};

const tooLarge = (call: InferenceCall, sizeBytes: number): ServingError =>
  new ServingError(
    'ValidationError',
    `the request is too large: ${sizeBytes} bytes as a Lambda event${call.isBase64Encoded ? ' (binary bodies travel as base64)' : ''}, ` +
      `at most ${MAX_EVENT_BYTES} are possible; send fewer rows per request, or call InvokeEndpointAsync with the input in S3`,
  );

/** The connection's own failures; everything else is said already. */
const translate = (error: unknown): unknown => {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof ServingError || error instanceof Throttled || error instanceof TargetGone)
    return error;
  if (code === 'ESILENT') {
    return new ServingError(
      'ModelNotReadyException',
      'the model was still loading or running when the time for an answer was up; try again',
      { cause: error },
    );
  }
  if (code === undefined && syscall === undefined) return error;
  return unreachable(error);
};

const unreachable = (cause: unknown): ServingError =>
  new ServingError('ServiceUnavailable', 'Lambda could not be reached; try again', { cause });

/** Lambda's own errors (Lambda API, Invoke): the type in a header, and of a throttle its reason in the body. */
const refusal = ({ statusCode = 0, headers }: IncomingMessage, text: string): Error => {
  const error = new Error(`Lambda answered ${statusCode}: ${text.slice(0, 300)}`);
  error.name = String(headers['x-amzn-errortype'] ?? 'LambdaError').split(':', 1)[0] ?? '';
  if (statusCode === 429) {
    const scope = ACCOUNT_REASONS.has(/"Reason"\s*:\s*"(\w+)"/.exec(text)?.[1]) ? 'account' : 'function';
    return new Throttled(scope, Math.max(1, Number(headers['retry-after']) || 1), { cause: error });
  }
  if (error.name === 'ResourceNotFoundException')
    return new TargetGone('no such function or version', { cause: error });
  return statusCode >= 500 ? unreachable(error) : error;
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
