import type { CachedRoutes } from '../../lib/catalog/cached-routes.ts';
import type { Routes } from '../../lib/catalog/routes.ts';
import { ServingError, toServingError } from '../../lib/errors.ts';
import type { Metrics } from '../../lib/metrics/metrics.ts';
import type { InferenceCall, InferenceReply } from '../../lib/protocol/envelope.ts';
import {
  encodeError,
  encodeReply,
  type HttpRequest,
  type HttpResponse,
  parseInvocation,
} from '../../lib/protocol/sagemaker-http.ts';

export interface RouterDeps {
  readonly endpointName: string;
  readonly routes: CachedRoutes;
  readonly dispatch: (routes: Routes, call: InferenceCall) => Promise<InferenceReply>;
  readonly metrics: Metrics;
  /** Told of every failure that is not the caller's own doing. */
  readonly onFault: (error: ServingError, request: HttpRequest) => void;
}

/** HTTP request -> routes -> group -> inference -> HTTP response, in SageMaker's words. */
export const createRouter = ({ endpointName, routes, dispatch, metrics, onFault }: RouterDeps) => {
  const invokeEndpoint = async (request: HttpRequest): Promise<HttpResponse> => {
    const call = parseInvocation(request, endpointName);
    const reply = await dispatch(await routes.current(), call);
    if (!reply.ok) throw new ServingError(reply.code, reply.message, retryAfter(reply));
    return encodeReply(reply, request.requestContext.requestId);
  };

  const fail = (cause: unknown, request: HttpRequest): HttpResponse => {
    const error = toServingError(cause);
    metrics.count(error.status < 500 ? 'Invocation4XXErrors' : 'Invocation5XXErrors');
    if (error.status >= 500) onFault(error, request);
    return encodeError(error, request.requestContext.requestId);
  };

  return async (request: HttpRequest): Promise<HttpResponse> => {
    // API Gateway has matched the path already: its route key is all the routing there is to do.
    if (request.routeKey === 'GET /ping') return PONG;

    metrics.count('Invocations');
    return invokeEndpoint(request).catch((error: unknown) => fail(error, request));
  };
};

const PONG: HttpResponse = {
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ status: 'Healthy' }),
};

const retryAfter = ({ retryAfterSeconds }: { readonly retryAfterSeconds?: number }) =>
  retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
