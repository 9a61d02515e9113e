import type { JobQueue } from '../../lib/async/queued-job.ts';
import type { Authenticate } from '../../lib/auth/authenticate.ts';
import { authorizeInput, authorizeInvoke } from '../../lib/auth/authorize.ts';
import type { Principal } from '../../lib/auth/key.ts';
import type { RateLimit } from '../../lib/auth/rate-limit.ts';
import type { CachedRoutes } from '../../lib/catalog/cached-routes.ts';
import type { Routes } from '../../lib/catalog/routes.ts';
import type { Clock } from '../../lib/clock.ts';
import {
  type ErrorCode,
  orUnavailable,
  ServingError,
  type ServingErrorOptions,
  toServingError,
} from '../../lib/errors.ts';
import type { Metrics } from '../../lib/metrics/metrics.ts';
import { SeenWorkers } from '../../lib/metrics/seen-workers.ts';
import type { Loads } from '../../lib/models/loads.ts';
import type { Asked, AtDoor } from '../../lib/protocol/door.ts';
import type { InferenceCall, InferenceReply, WorkerStamp } from '../../lib/protocol/envelope.ts';
import {
  type HttpRequest,
  type HttpResponse,
  isFromFunctionUrl,
  jsonResponse,
} from '../../lib/protocol/http.ts';
import { within } from '../../lib/within.ts';

export interface RouterDeps {
  /** The API that a request is for. */
  readonly doorOf: (request: HttpRequest) => AtDoor | undefined;
  /** Says who is calling; absent where anybody may call. */
  readonly authenticate?: Authenticate;
  /** Holds callers to the limits of their keys. */
  readonly rateLimit?: RateLimit;
  readonly routes: CachedRoutes;
  readonly dispatch: (routes: Routes, call: InferenceCall) => Promise<InferenceReply>;
  /** Of asynchronous calls. */
  readonly queue: JobQueue;
  readonly metrics: Metrics;
  /** How long an answer is waited for behind an HTTP API. */
  readonly answerWithinMs: number;
  /** The same behind a function URL. */
  readonly functionUrlAnswerMs: number;
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
  const {
    doorOf,
    authenticate,
    rateLimit,
    routes,
    dispatch,
    queue,
    metrics,
    answerWithinMs,
    functionUrlAnswerMs,
    loads,
    now,
    timer,
    onFault,
  } = deps;
  const workers = new SeenWorkers();
  const enqueue = orUnavailable(queue.send, 'asynchronous calls cannot be kept at the moment; try again');

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

  const ask = async (
    call: InferenceCall,
    requestId: string,
    startedMs: number,
    withinMs: number,
  ): Promise<InferenceReply & { ok: true }> => {
    try {
      const current = await routes.current();
      const remainingMs = Math.round(withinMs - (timer() - startedMs));
      const reply = await dispatch(current, { ...call, remainingMs, requestId });
      noteWorker(reply, startedMs);
      if (!reply.ok) throw new ServingError(reply.code, reply.message, known(reply));
      return reply;
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

  return async (came: HttpRequest): Promise<HttpResponse> => {
    const startedMs = timer();
    const { requestId } = came.requestContext;
    const found = doorOf(came);
    if (found === undefined) return jsonResponse(404, { message: 'Not Found' });
    const { door, request } = found;

    try {
      // Before anything is read: what is wrong with a request is told only to those who may make it.
      const isOpen = authenticate === undefined || door.openRouteKeys.includes(request.routeKey);
      const principal = isOpen ? undefined : await authenticate(request);
      const asked = await door.parse(request);
      if (asked.kind === 'answer') return asked.response;
      if (principal !== undefined) {
        authorize(principal, asked);
        await rateLimit?.(principal);
      }
      if (asked.kind === 'queue') {
        await enqueue(asked.job);
        return asked.response;
      }
      const reply = await ask(
        asked.call,
        requestId,
        startedMs,
        isFromFunctionUrl(came) ? functionUrlAnswerMs : answerWithinMs,
      );
      noteOutcome(undefined);
      return door.encodeReply(reply, asked, requestId);
    } catch (cause) {
      const error = toServingError(cause);
      noteOutcome(error);
      if (error.status >= 500) onFault(error, request);
      return door.encodeError(error, requestId);
    }
  };
};

/** @throws ServingError AccessDeniedException */
const authorize = (principal: Principal, asked: Exclude<Asked, { kind: 'answer' }>): void => {
  authorizeInvoke(principal, asked.kind === 'call' ? asked.call.model : asked.job.model);
  if (asked.kind === 'queue' && 'key' in asked.job.input) authorizeInput(principal, asked.job.input.key);
};

/** The door closes 2 s after the time for an answer is up, or later. */
const LEARNED_WITHIN_MS = 500;

/** What SageMaker counts as the model's failure: no answer with a status of 2XX came from it. */
const MODEL_ERRORS: ReadonlySet<ErrorCode> = new Set([
  'ModelError',
  'ModelNotReadyException',
  'ServiceUnavailable',
]);

const known = ({ retryAfterSeconds, logStreamArn }: InferenceReply & { ok: false }): ServingErrorOptions => ({
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  ...(logStreamArn === undefined ? {} : { logStreamArn }),
});
