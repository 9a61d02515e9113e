import { ALL_TRAFFIC, type Endpoint, type Endpoints } from '../endpoints/endpoint.ts';
import { ServingError } from '../errors.ts';
import { parseModelName } from '../models/model-name.ts';
import { type AsyncPlaces, encodeAccepted, parseAsyncInvocation } from './async-invocation.ts';
import type { AskedCall, Door } from './door.ts';
import type { InferenceReply } from './envelope.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from './http.ts';
import { CUSTOM_ATTRIBUTES, ENDPOINT_NAME, fits, INFERENCE_ID, type TextRule } from './text-rules.ts';

/** SageMaker Runtime for the endpoints of a deployment, and the containers' `GET /ping`. */
export const sagemakerDoor = (endpoints: Endpoints, places: AsyncPlaces): Door => ({
  routeKeys: [INVOKE, INVOKE_ASYNC, PING],
  openRouteKeys: [PING],
  async parse(request) {
    switch (request.routeKey) {
      case PING:
        return { kind: 'answer', response: jsonResponse(200, { status: 'Healthy' }) };
      case INVOKE_ASYNC: {
        const job = parseAsyncInvocation(request, await findEndpoint(request, endpoints), places);
        return { kind: 'queue', job, response: encodeAccepted(job, request.requestContext.requestId) };
      }
      default:
        return parseInvocation(request, endpoints);
    }
  },
  encodeReply,
  encodeError,
});

const INVOKE = 'POST /endpoints/{EndpointName}/invocations';
const INVOKE_ASYNC = 'POST /endpoints/{EndpointName}/async-invocations';
const PING = 'GET /ping';

const TARGET_MODEL = 'x-amzn-sagemaker-target-model';

/**
 * Reads SageMaker's InvokeEndpoint.
 * @throws ServingError ValidationError for an endpoint that is not there, and for a missing or impossible TargetModel.
 */
export const parseInvocation = async (request: HttpRequest, endpoints: Endpoints): Promise<AskedCall> => {
  const endpoint = await findEndpoint(request, endpoints);
  const model = request.headers[TARGET_MODEL];
  if (model === undefined || model === '') {
    throw new ServingError(
      'ValidationError',
      'TargetModel is missing: this is a multi-model endpoint, so name the model to call, for example ' +
        'TargetModel=tenant-7/churn.tar.gz (header X-Amzn-SageMaker-Target-Model)',
    );
  }

  refuseUnserved(request.headers, endpoint);
  const customAttributes = parseHeader(request.headers, CUSTOM_ATTRIBUTES_HEADER, CUSTOM_ATTRIBUTES);
  const inferenceId = parseHeader(request.headers, INFERENCE_ID_HEADER, INFERENCE_ID);
  const call = {
    model: parseModelName(endpoint.prefix + parseModelName(model)),
    contentType: request.headers['content-type'],
    accept: request.headers['accept'],
    body: request.body ?? '',
    isBase64Encoded: request.isBase64Encoded,
    ...(customAttributes === undefined ? {} : { customAttributes }),
    ...(inferenceId === undefined ? {} : { inferenceId }),
  };
  return { kind: 'call', call, variant: endpoint.variant };
};

const findEndpoint = async (request: HttpRequest, endpoints: Endpoints): Promise<Endpoint> => {
  const name = request.pathParameters?.['EndpointName'] ?? '';
  // What is no name need not be looked up.
  const endpoint = fits(name, ENDPOINT_NAME) ? await endpoints.find(name) : undefined;
  if (endpoint !== undefined) return endpoint;
  throw new ServingError(
    'ValidationError',
    `Endpoint ${quote(name)} not found: set EndpointName to ${quote(endpoints.own)}, which this deployment has, or to one made with CreateEndpoint`,
  );
};

const CUSTOM_ATTRIBUTES_HEADER = 'x-amzn-sagemaker-custom-attributes';
const INFERENCE_ID_HEADER = 'x-amzn-sagemaker-inference-id';

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
const refuseUnserved = (headers: HttpRequest['headers'], endpoint: Endpoint): void => {
  for (const [name, message] of Object.entries(UNSERVED)) {
    if (headers[name] !== undefined) throw new ServingError('ValidationError', message);
  }
  const variant = headers['x-amzn-sagemaker-target-variant'];
  if (variant !== undefined && variant !== endpoint.variant) {
    throw new ServingError(
      'ValidationError',
      `TargetVariant ${quote(variant)} not found: a multi-model endpoint here has the one variant ${endpoint.variant}; leave it out`,
    );
  }
};

/** @throws ServingError ValidationError */
const parseHeader = (headers: HttpRequest['headers'], name: string, rule: TextRule): string | undefined => {
  const value = headers[name];
  if (value === undefined) return undefined;
  if (fits(value, rule)) return value;
  throw new ServingError(
    'ValidationError',
    `header ${name} should be ${rule.minLength} to ${rule.maxLength} visible characters of ASCII, but has ${value.length} characters: ${quote(value)}`,
  );
};

/** The headers of a SageMaker answer. */
export const encodeReply = (
  reply: InferenceReply & { ok: true },
  { variant = ALL_TRAFFIC }: AskedCall,
  requestId: string,
): HttpResponse => ({
  statusCode: 200,
  headers: {
    'content-type': reply.contentType,
    'x-amzn-invoked-production-variant': variant,
    'x-amzn-requestid': requestId,
    ...(reply.customAttributes === undefined ? {} : { [CUSTOM_ATTRIBUTES_HEADER]: reply.customAttributes }),
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
