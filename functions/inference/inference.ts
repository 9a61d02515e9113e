import type { LoadedModel } from '../../lib/engines/engine.ts';
import { ServingError, toServingError } from '../../lib/errors.ts';
import type { Metrics } from '../../lib/metrics/metrics.ts';
import type { JobObjects } from '../../lib/models/job-objects.ts';
import type { Models } from '../../lib/models/models.ts';
import type { Encoded } from '../../lib/protocol/codecs/codec.ts';
import { requestBody } from '../../lib/protocol/codecs/request-body.ts';
import { type Description, describeTensors } from '../../lib/protocol/description.ts';
import type { InferenceCall, InferenceReply } from '../../lib/protocol/envelope.ts';
import type { CallNotes } from './call-notes.ts';
import { runModel } from './run-model.ts';

/** Lambda's bound on an answer, in bytes of JSON (Lambda quotas: 6 MB each way). */
const MAX_REPLY_BYTES = 6_291_456;

/** For what the worker says of itself with each answer. */
const STAMP_BYTES = 64;

/** Of what model.mjs says beside its answer, with the escapes of JSON. */
const MAX_ATTRIBUTES_BYTES = 2200;

/** Lambda's limit is ours to keep: what is left after this is for the answer. */
const TIME_FOR_THE_ANSWER_MS = 500;

export interface InferenceDeps {
  readonly models: Models;
  /** Inputs and outputs of asynchronous calls. */
  readonly jobObjects: JobObjects;
  readonly metrics: Metrics;
  readonly notes: CallNotes;
  /** Names this environment. */
  readonly worker: string;
  /** In milliseconds with fractions, for durations only. */
  readonly timer: () => number;
  /** Told of every failure that is not the caller's own doing. */
  readonly onFault: (
    error: ServingError,
    call: Pick<InferenceCall, 'model' | 'inferenceId' | 'requestId'>,
  ) => void;
}

/** How long a call waited for its model. */
interface Waits {
  ms: number;
}

/** The part of Lambda's context that is read. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
  readonly invokedFunctionArn?: string;
  readonly logGroupName?: string;
  readonly logStreamName?: string;
}

/** Open -> decode -> run -> encode. Every failure is a reply: exceptions do not survive the way back. */
export const createInference = ({
  models,
  jobObjects,
  metrics,
  notes,
  worker,
  timer,
  onFault,
}: InferenceDeps) => {
  const predict = async (call: InferenceCall, untilMs: number, waits: Waits): Promise<InferenceReply> => {
    if (call.operation === 'describe') await lookAgain(call.model);
    await using lease = await models.open(call.model);
    waits.ms = lease.waitedMs ?? 0;
    if (call.operation === 'describe') return describe(call.model, lease.model);
    if (call.operation === 'batch') return runJobs(call, lease.model, untilMs);
    let said: string | undefined;
    const body = requestBody(call.body, call.isBase64Encoded, call.contentType);
    const encoded = await runModel(
      lease.model,
      { ...call, body },
      {
        contentType: call.contentType,
        accept: call.accept,
        remainingMs: untilMs - timer(),
        callers: [call.model],
        ...(call.customAttributes === undefined ? {} : { customAttributes: call.customAttributes }),
        onCustomAttributes: (text) => {
          said = text;
        },
      },
    );
    return toReply(encoded, said);
  };

  const runJobs = async (
    call: InferenceCall,
    loaded: LoadedModel,
    untilMs: number,
  ): Promise<InferenceReply> => {
    // A start does not pay for what few workers ever do.
    const { runBatch } = await import('./batch.ts');
    const results = await runBatch(call.jobs ?? [], {
      model: call.model,
      loaded,
      batchSize: models.describe(call.model)?.batchSize ?? 1,
      objects: jobObjects,
      remainingMs: () => untilMs - timer(),
    });
    return { ok: true, contentType: 'application/json', body: JSON.stringify(results) };
  };

  /** Whoever asks what a model is means what is in the store now. */
  const lookAgain = async (name: string): Promise<void> => {
    await using _ = await models.open(name);
    await models.look(name);
  };

  const describe = (name: string, { inputs, outputs }: LoadedModel): InferenceReply => {
    const {
      etag,
      sizeBytes,
      loadMs,
      refused = undefined,
    } = models.describe(name) ?? { etag: '', sizeBytes: 0, loadMs: 0 };
    const description: Description = {
      ...(inputs === undefined ? {} : { inputs: describeTensors(inputs) }),
      ...(outputs === undefined ? {} : { outputs: describeTensors(outputs) }),
      etag,
      sizeBytes,
      loadMs,
      ...(refused === undefined ? {} : { refused }),
    };
    return { ok: true, contentType: 'application/json', body: JSON.stringify(description) };
  };

  const fail = (cause: unknown, call: InferenceCall, invocation: Invocation): InferenceReply => {
    const error = toServingError(cause);
    if (error.status >= 500 || error.code === 'ModelError') onFault(error, call);
    const { code, retryAfterSeconds } = error;
    const message = oneLine(error.message);
    const logStreamArn = code === 'ModelError' ? logStreamOf(invocation) : undefined;
    return {
      ok: false,
      code,
      message,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(logStreamArn === undefined ? {} : { logStreamArn }),
    };
  };

  return async (call: InferenceCall, invocation: Invocation): Promise<InferenceReply> => {
    const startedMs = timer();
    metrics.flushIfDue();
    const waits: Waits = { ms: 0 };
    const reply = await predict(call, startedMs + timeFor(call, invocation), waits).catch((error: unknown) =>
      fail(error, call, invocation),
    );
    const tookMs = timer() - startedMs;
    notes.note(call.model, tookMs, waits.ms);
    await models.settle();
    await notes.settle();
    metrics.flushIfDue();
    return { ...reply, worker, tookMicros: Math.round(1000 * tookMs) };
  };
};

/** `arn:aws:lambda:region:account:function:name` has all that the log's ARN needs but its names. */
const logStreamOf = ({ invokedFunctionArn, logGroupName, logStreamName }: Invocation): string | undefined => {
  const [, partition, , region, account] = invokedFunctionArn?.split(':') ?? [];
  if (account === undefined || logGroupName === undefined || logStreamName === undefined) return undefined;
  return `arn:${partition}:logs:${region}:${account}:log-group:${logGroupName}:log-stream:${logStreamName}`;
};

/** Messages quote what was sent. SageMaker's have at most 2,048 characters; the rest is for the escapes of JSON. */
const MAX_MESSAGE_LENGTH = 2000;

const oneLine = (message: string): string =>
  message.replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, MAX_MESSAGE_LENGTH);

/** The caller waits no longer than the router does, and the router no longer than its door. */
const timeFor = (call: InferenceCall, invocation: Invocation): number =>
  Math.min(invocation.getRemainingTimeInMillis(), call.remainingMs ?? Number.POSITIVE_INFINITY) -
  TIME_FOR_THE_ANSWER_MS;

const toReply = ({ contentType, body }: Encoded, customAttributes: string | undefined): InferenceReply => {
  const said = customAttributes === undefined ? {} : { customAttributes };
  return bounded(
    typeof body === 'string'
      ? { ok: true, contentType, body, ...said }
      : {
          ok: true,
          contentType,
          body: Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64'),
          isBase64Encoded: true,
          ...said,
        },
  );
};

const bounded = (reply: InferenceReply & { ok: true }): InferenceReply => {
  // A string of n characters takes at least n bytes, and as JSON at most 6 n: only what lies between is measured.
  if (reply.body.length * 6 + STAMP_BYTES + MAX_ATTRIBUTES_BYTES < MAX_REPLY_BYTES) return reply;
  const sizeBytes = Buffer.byteLength(JSON.stringify(reply)) + STAMP_BYTES;
  if (sizeBytes <= MAX_REPLY_BYTES) return reply;
  throw new ServingError(
    'ModelError',
    `the answer is too large: ${sizeBytes} bytes, at most ${MAX_REPLY_BYTES} are possible; send fewer rows per request`,
  );
};
