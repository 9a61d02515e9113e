import type { CachedRoutes } from '../../lib/catalog/cached-routes.ts';
import type { Routes } from '../../lib/catalog/routes.ts';
import type { Clock } from '../../lib/clock.ts';
import { type ErrorCode, ServingError, type ServingErrorOptions, toServingError } from '../../lib/errors.ts';
import type { Metrics } from '../../lib/metrics/metrics.ts';
import { SeenWorkers } from '../../lib/metrics/seen-workers.ts';
import type { Loads } from '../../lib/models/loads.ts';
import type { InferenceCall, InferenceReply, WorkerStamp } from '../../lib/protocol/envelope.ts';
import {
  encodeError,
  encodeReply,
  type HttpRequest,
  type HttpResponse,
  parseInvocation,
} from '../../lib/protocol/sagemaker-http.ts';
import { within } from '../../lib/within.ts';

export interface RouterDeps {
  readonly endpointName: string;
  readonly routes: CachedRoutes;
  readonly dispatch: (routes: Routes, call: InferenceCall) => Promise<InferenceReply>;
  readonly metrics: Metrics;
  /** How long an answer is waited for. */
  readonly answerWithinMs: number;
  /** What is known of loads that take long. */
  readonly loads: Pick<Loads, 'find'>;
  /** Epoch milliseconds. */
  readonly now: Clock;
  /** In milliseconds with fractions, for durations only. */
  readonly timer: () => number;
  /** Told of every failure that is not the caller's own doing. */
  readonly onFault: (error: ServingError, request: HttpRequest) => void;
}

/** HTTP request -> routes -> group -> inference -> HTTP response, in SageMaker's words. */
export const createRouter = (deps: RouterDeps) => {
  const { endpointName, routes, dispatch, metrics, answerWithinMs, loads, now, timer, onFault } = deps;
  const workers = new SeenWorkers();

  /** SageMaker counts each request as 1 / instances, of which the sum is the load of one instance. */
  const noteWorker = ({ worker, tookMicros = 0 }: WorkerStamp, startedMs: number): void => {
    metrics.timeMicros('ModelLatency', tookMicros);
    metrics.timeMicros('OverheadLatency', Math.max(0, 1000 * (timer() - startedMs) - tookMicros));
    if (worker !== undefined) metrics.count('InvocationsPerInstance', 1 / workers.note(worker, now()));
  };

  /** Time was up while the model was loading or running: when to come back, others may know. */
  const withLearnedRetry = async (error: ServingError, model: string): Promise<ServingError> => {
    if (error.code !== 'ModelNotReadyException' || error.retryAfterSeconds !== undefined) return error;
    const load = await within(LEARNED_WITHIN_MS, loads.find(model)).catch(() => undefined);
    const leftMs = load?.expectedEndMs === undefined ? load?.lastMs : load.expectedEndMs - now();
    const retryAfterSeconds = Math.min(360, Math.max(1, Math.ceil((leftMs ?? 0) / 1000)));
    return new ServingError(error.code, error.message, { cause: error.cause, retryAfterSeconds });
  };

  const invokeEndpoint = async (request: HttpRequest): Promise<HttpResponse> => {
    const startedMs = timer();
    const call = parseInvocation(request, endpointName);
    try {
      const current = await routes.current();
      const remainingMs = Math.round(answerWithinMs - (timer() - startedMs));
      const reply = await dispatch(current, { ...call, remainingMs });
      noteWorker(reply, startedMs);
      if (!reply.ok) throw new ServingError(reply.code, reply.message, known(reply));
      return encodeReply(reply, request.requestContext.requestId);
    } catch (error) {
      throw error instanceof ServingError ? await withLearnedRetry(error, call.model) : error;
    }
  };

  /** 0 or 1 for each request, as in SageMaker's metrics: their average is the share of errors. */
  const noteOutcome = (error: ServingError | undefined): void => {
    metrics.count('Invocations');
    metrics.sample('Invocation4XXErrors', error !== undefined && error.status < 500 ? 1 : 0);
    metrics.sample('Invocation5XXErrors', error !== undefined && error.status >= 500 ? 1 : 0);
    metrics.sample('InvocationModelErrors', error !== undefined && MODEL_ERRORS.has(error.code) ? 1 : 0);
  };

  return async (request: HttpRequest): Promise<HttpResponse> => {
    // API Gateway has matched the path already: its route key is all the routing there is to do.
    if (request.routeKey === 'GET /ping') return PONG;

    try {
      const response = await invokeEndpoint(request);
      noteOutcome(undefined);
      return response;
    } catch (cause) {
      const error = toServingError(cause);
      noteOutcome(error);
      if (error.status >= 500) onFault(error, request);
      return encodeError(error, request.requestContext.requestId);
    }
  };
};

/** The door closes 2 s after the time for an answer is up. */
const LEARNED_WITHIN_MS = 500;

/** What SageMaker counts as the model's failure: no answer with a status of 2XX came from it. */
const MODEL_ERRORS: ReadonlySet<ErrorCode> = new Set([
  'ModelError',
  'ModelNotReadyException',
  'ServiceUnavailable',
]);

const PONG: HttpResponse = {
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ status: 'Healthy' }),
};

const known = ({ retryAfterSeconds, logStreamArn }: InferenceReply & { ok: false }): ServingErrorOptions => ({
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  ...(logStreamArn === undefined ? {} : { logStreamArn }),
});
