import { ServingError } from '../errors.ts';
import { parseModelName } from '../models/model-name.ts';
import type { InferenceCall, InferenceReply } from './envelope.ts';

/** The part of API Gateway's HTTP API event (payload format 2.0) that is read. Header names come in lower case. */
export interface HttpRequest {
  readonly routeKey: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly pathParameters?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: { readonly requestId: string };
}

export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** True when `body` is base64 of the bytes that the client is to get. */
  readonly isBase64Encoded?: true;
}

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

  return {
    model: parseModelName(model),
    contentType: request.headers['content-type'],
    accept: request.headers['accept'],
    body: request.body ?? '',
    isBase64Encoded: request.isBase64Encoded,
  };
};

/** The headers of a SageMaker answer; there is one variant, named as SageMaker names the only one. */
export const encodeReply = (reply: InferenceReply & { ok: true }, requestId: string): HttpResponse => ({
  statusCode: 200,
  headers: {
    'content-type': reply.contentType,
    'x-amzn-invoked-production-variant': 'AllTraffic',
    'x-amzn-requestid': requestId,
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
  body: JSON.stringify({ Message: error.message.slice(0, MAX_MESSAGE_LENGTH) }),
});

/** What the caller sent, fit for a message: short, and without control characters. */
const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
