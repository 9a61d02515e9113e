import { ServingError } from '../errors.ts';
import { parseModelName } from '../models/model-name.ts';
import type { Door } from './door.ts';
import type { InferenceCall, InferenceReply } from './envelope.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from './http.ts';

/** SageMaker Runtime for the one endpoint that is served here, and the containers' `GET /ping`. */
export const sagemakerDoor = (endpointName: string): Door => ({
  routeKeys: ['POST /endpoints/{EndpointName}/invocations', 'GET /ping'],
  openRouteKeys: ['GET /ping'],
  parse: (request) =>
    request.routeKey === 'GET /ping'
      ? { kind: 'answer', response: jsonResponse(200, { status: 'Healthy' }) }
      : { kind: 'call', call: parseInvocation(request, endpointName) },
  encodeReply: (reply, _, requestId) => encodeReply(reply, requestId),
  encodeError,
});

const TARGET_MODEL = 'x-amzn-sagemaker-target-model';

/**
 * Reads SageMaker's InvokeEndpoint for the one endpoint that is served here.
 * @throws ServingError ValidationError for another endpoint, and for a missing or impossible TargetModel.
 */
export const parseInvocation = (request: HttpRequest, endpointName: string): InferenceCall => {
  const asked = request.pathParameters?.['EndpointName'] ?? '';
  if (asked !== endpointName) {
    throw new ServingError(
      'ValidationError',
      `Endpoint ${quote(asked)} not found: this deployment serves ${quote(endpointName)}; set EndpointName to it`,
    );
  }

  const model = request.headers[TARGET_MODEL];
  if (model === undefined || model === '') {
    throw new ServingError(
      'ValidationError',
      'TargetModel is missing: this is a multi-model endpoint, so name the model to call, for example ' +
        'TargetModel=tenant-7/churn.tar.gz (header X-Amzn-SageMaker-Target-Model)',
    );
  }

  refuseUnserved(request.headers);
  const customAttributes = parseHeader(request.headers, CUSTOM_ATTRIBUTES, 1024);
  const inferenceId = parseHeader(request.headers, INFERENCE_ID, 64);
  return {
    model: parseModelName(model),
    contentType: request.headers['content-type'],
    accept: request.headers['accept'],
    body: request.body ?? '',
    isBase64Encoded: request.isBase64Encoded,
    ...(customAttributes === undefined ? {} : { customAttributes }),
    ...(inferenceId === undefined ? {} : { inferenceId }),
  };
};

const CUSTOM_ATTRIBUTES = 'x-amzn-sagemaker-custom-attributes';
const INFERENCE_ID = 'x-amzn-sagemaker-inference-id';

/** SageMaker names the only variant so. */
const VARIANT = 'AllTraffic';

/** What SageMaker offers of endpoints that are no multi-model endpoints: to take it silently would be a lie. */
const UNSERVED = {
  'x-amzn-sagemaker-target-container-hostname':
    'TargetContainerHostname is for endpoints of several containers: leave it out',
  'x-amzn-sagemaker-inference-component':
    'InferenceComponentName is for endpoints of inference components: name the model by TargetModel',
  'x-amzn-sagemaker-enable-explanations': 'EnableExplanations is not served: leave it out',
  'x-amzn-sagemaker-session-id': 'SessionId is not served, calls have no state: leave it out',
} as const;

/** @throws ServingError ValidationError */
const refuseUnserved = (headers: HttpRequest['headers']): void => {
  for (const [name, message] of Object.entries(UNSERVED)) {
    if (headers[name] !== undefined) throw new ServingError('ValidationError', message);
  }
  const variant = headers['x-amzn-sagemaker-target-variant'];
  if (variant !== undefined && variant !== VARIANT) {
    throw new ServingError(
      'ValidationError',
      `TargetVariant ${quote(variant)} not found: a multi-model endpoint here has the one variant ${VARIANT}; leave it out`,
    );
  }
};

/** @throws ServingError ValidationError */
const parseHeader = (
  headers: HttpRequest['headers'],
  name: string,
  maxLength: number,
): string | undefined => {
  const value = headers[name];
  if (value === undefined) return undefined;
  if (value.length > 0 && value.length <= maxLength && /^[\x20-\x7e]*$/.test(value)) return value;
  throw new ServingError(
    'ValidationError',
    `header ${name} should be 1 to ${maxLength} visible characters of ASCII, but has ${value.length} characters: ${quote(value)}`,
  );
};

/** The headers of a SageMaker answer; there is one variant, named as SageMaker names the only one. */
export const encodeReply = (reply: InferenceReply & { ok: true }, requestId: string): HttpResponse => ({
  statusCode: 200,
  headers: {
    'content-type': reply.contentType,
    'x-amzn-invoked-production-variant': VARIANT,
    'x-amzn-requestid': requestId,
    ...(reply.customAttributes === undefined ? {} : { [CUSTOM_ATTRIBUTES]: reply.customAttributes }),
  },
  body: reply.body,
  ...(reply.isBase64Encoded && { isBase64Encoded: true }),
});

/** `Message` is at most 2,048 characters in SageMaker's model (botocore, sagemaker-runtime 2017-05-13). */
const MAX_MESSAGE_LENGTH = 2048;

/** SageMaker's error shape: the SDKs take the exception's class from the header and its text from the body. */
export const encodeError = (error: ServingError, requestId: string): HttpResponse => ({
  statusCode: error.status,
  headers: {
    'content-type': 'application/json',
    'x-amzn-errortype': error.code,
    'x-amzn-requestid': requestId,
    ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }),
  },
  body: JSON.stringify(errorBody(error)),
});

/**
 * A ModelError has what the container answered, which here is the worker: 500, as every fault of a model is one of its own. Where
 * it logged is known only if it lived to say so.
 */
const errorBody = ({ code, message, logStreamArn = '' }: ServingError): object => {
  const Message = message.slice(0, MAX_MESSAGE_LENGTH);
  if (code !== 'ModelError') return { Message };
  return { Message, OriginalStatusCode: 500, OriginalMessage: Message, LogStreamArn: logStreamArn };
};

/** What the caller sent, fit for a message: short, and without control characters. */
const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
