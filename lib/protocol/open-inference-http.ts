import { type ErrorCode, type ServingError, STATUS } from '../errors.ts';
import { describeValue, invalidInput } from './codecs/invalid-input.ts';
import { BINARY_MEDIA_TYPE, DATATYPES } from './codecs/open-inference.ts';
import type { DescribedTensor, Description } from './description.ts';
import type { Door } from './door.ts';
import type { InferenceCall } from './envelope.ts';
import { type HttpRequest, type HttpResponse, jsonResponse } from './http.ts';
import { parsePathName } from './path-name.ts';

const VERSION = '1';

/** Where the JSON ends and the bytes begin (Triton's binary extension). */
const HEADER_LENGTH = 'inference-header-content-length';

const INFER = 'POST /v2/models/{model}/infer';
const INFER_VERSION = 'POST /v2/models/{model}/versions/{version}/infer';
const METADATA = 'GET /v2/models/{model}';
const METADATA_VERSION = 'GET /v2/models/{model}/versions/{version}';
const READY = 'GET /v2/models/{model}/ready';
const READY_VERSION = 'GET /v2/models/{model}/versions/{version}/ready';
const SERVER = 'GET /v2';
const LIVE = 'GET /v2/health/live';
const SERVER_READY = 'GET /v2/health/ready';

/** The Open Inference Protocol, version 2, over HTTP, with Triton's binary extension: tritonclient works unchanged. */
export const openInferenceDoor: Door = {
  routeKeys: [
    INFER,
    INFER_VERSION,
    METADATA,
    METADATA_VERSION,
    READY,
    READY_VERSION,
    SERVER,
    LIVE,
    SERVER_READY,
  ],

  openRouteKeys: [SERVER, LIVE, SERVER_READY],

  parse(request) {
    switch (request.routeKey) {
      case SERVER:
        return { kind: 'answer', response: jsonResponse(200, SERVER_METADATA) };
      case LIVE:
      case SERVER_READY:
        return { kind: 'answer', response: EMPTY };
      case INFER:
      case INFER_VERSION:
        return { kind: 'call', call: parseInfer(request) };
      default:
        return { kind: 'call', call: parseDescribe(request) };
    }
  },

  encodeReply(reply, { call: { model, operation } }, requestId) {
    const headers = { 'x-amzn-requestid': requestId };
    if (operation === 'describe') {
      return jsonResponse(200, metadataOf(model, JSON.parse(reply.body) as Description), headers);
    }
    return {
      statusCode: 200,
      headers: { ...headers, ...contentHeaders(reply.contentType) },
      body: reply.body,
      ...(reply.isBase64Encoded && { isBase64Encoded: true }),
    };
  },

  encodeError(error, requestId) {
    return jsonResponse(
      statusOf(error),
      { error: error.message },
      {
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': error.code,
        ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }),
      },
    );
  },
};

const SERVER_METADATA = { name: 'lambda-mme', version: '2', extensions: ['binary_tensor_data'] };

const EMPTY: HttpResponse = { statusCode: 200, headers: {}, body: '' };

const parseInfer = (request: HttpRequest): InferenceCall => {
  const length = parseHeaderLength(request.headers[HEADER_LENGTH]);
  return {
    model: parsePathName(request.pathParameters?.['model']),
    contentType:
      length === undefined ? 'application/json' : `${BINARY_MEDIA_TYPE};json-header-size=${length}`,
    accept: undefined,
    body: request.body ?? '',
    isBase64Encoded: request.isBase64Encoded,
  };
};

/**
 * Digits and nothing else: it becomes a parameter of a media type, and two readers must not see two lengths in it.
 * @throws ServingError ValidationError
 */
const parseHeaderLength = (text: string | undefined): string | undefined => {
  if (text === undefined || /^\d{1,10}$/.test(text)) return text;
  throw invalidInput(
    `header ${HEADER_LENGTH} should be the length of the JSON in bytes, in digits, but is ${describeValue(text)}`,
  );
};

/** To say what a model takes it has to be open: ready means that it could be. */
const parseDescribe = (request: HttpRequest): InferenceCall => ({
  model: parsePathName(request.pathParameters?.['model']),
  operation: 'describe',
  contentType: undefined,
  accept: undefined,
  body: '',
  isBase64Encoded: false,
});

const contentHeaders = (contentType: string): Record<string, string> => {
  const length = /^application\/vnd\.sagemaker-triton\.binary\+json;json-header-size=(\d+)$/.exec(
    contentType,
  )?.[1];
  if (length === undefined) return { 'content-type': contentType };
  return { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: length };
};

const metadataOf = (name: string, { inputs = [], outputs = [] }: Description): object => ({
  name,
  versions: [VERSION],
  platform: 'onnxruntime_onnx',
  inputs: inputs.map(tensorOf),
  outputs: outputs.map(tensorOf),
});

const tensorOf = ({ name, type, shape }: DescribedTensor): object => ({
  name,
  datatype: (DATATYPES as Readonly<Record<string, string>>)[type] ?? type,
  shape: shape.map((size) => size ?? -1),
});

/** The protocol has 404 for what is not there; SageMaker says 400. */
const statusOf = ({ code, message }: ServingError): number =>
  code === ('ValidationError' satisfies ErrorCode) && message.includes('not found') ? 404 : STATUS[code];
