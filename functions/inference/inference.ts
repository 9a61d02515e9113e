import { isUtf8 } from 'node:buffer';
import { ServingError, toServingError } from '../../lib/errors.ts';
import type { Metrics } from '../../lib/metrics/metrics.ts';
import type { Models } from '../../lib/models/models.ts';
import { answerCodec, requestCodec } from '../../lib/protocol/codecs/registry.ts';
import type { InferenceCall, InferenceReply } from '../../lib/protocol/envelope.ts';

/** Lambda's bound on an answer, in bytes of JSON (Lambda quotas: 6 MB each way). */
const MAX_REPLY_BYTES = 6_291_456;

export interface InferenceDeps {
  readonly models: Models;
  readonly metrics: Metrics;
  /** Told of every failure that is not the caller's own doing. */
  readonly onFault: (error: ServingError, model: string) => void;
}

/** Open -> decode -> run -> encode. Every failure is a reply: exceptions do not survive the way back. */
export const createInference = ({ models, metrics, onFault }: InferenceDeps) => {
  const predict = async (call: InferenceCall): Promise<InferenceReply> => {
    const decoder = requestCodec(call.contentType);
    const encoder = answerCodec(call.accept);
    await using lease = await models.open(call.model);

    const { tensors, form } = decoder.decode(readText(call), lease.model.inputs);
    const outputs = await lease.model.run(tensors);
    return bounded({ ok: true, contentType: encoder.mediaType, body: encoder.encode(outputs, form) });
  };

  const fail = (cause: unknown, call: InferenceCall): InferenceReply => {
    const error = toServingError(cause);
    if (error.status >= 500 || error.code === 'ModelError') onFault(error, call.model);
    const { code, message, retryAfterSeconds } = error;
    return { ok: false, code, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  };

  return async (call: InferenceCall): Promise<InferenceReply> => {
    metrics.flushIfDue();
    const reply = await predict(call).catch((error: unknown) => fail(error, call));
    metrics.flushIfDue();
    return reply;
  };
};

/** @throws ServingError ValidationError for bytes that are no UTF-8: replacing them would change what was sent. */
const readText = ({ body, isBase64Encoded }: InferenceCall): string => {
  if (!isBase64Encoded) return body;
  const bytes = Buffer.from(body, 'base64');
  if (isUtf8(bytes)) return bytes.toString();
  throw new ServingError('ValidationError', 'the body is not UTF-8 text: send JSON or CSV encoded as UTF-8');
};

const bounded = (reply: InferenceReply & { ok: true }): InferenceReply => {
  // A string of n characters takes at least n bytes, and as JSON at most 6 n: only what lies between is measured.
  if (reply.body.length * 6 < MAX_REPLY_BYTES) return reply;
  const sizeBytes = Buffer.byteLength(JSON.stringify(reply));
  if (sizeBytes <= MAX_REPLY_BYTES) return reply;
  throw new ServingError(
    'ModelError',
    `the answer is too large: ${sizeBytes} bytes, at most ${MAX_REPLY_BYTES} are possible; send fewer rows per request`,
  );
};
