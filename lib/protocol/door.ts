import type { QueuedJob } from '../async/queued-job.ts';
import type { ServingError } from '../errors.ts';
import { createRouteTable } from '../route-table.ts';
import type { InferenceCall, InferenceReply } from './envelope.ts';
import { type HttpRequest, type HttpResponse, isFromFunctionUrl } from './http.ts';

/** What a request asks for: something of a model, or what the door knows by itself. */
export type Asked =
  | {
      readonly kind: 'call';
      readonly call: InferenceCall;
      /** The production variant that was called, where the API has such. */
      readonly variant?: string;
    }
  | { readonly kind: 'answer'; readonly response: HttpResponse }
  /** A call to be made later; `response` is for when it is kept. */
  | { readonly kind: 'queue'; readonly job: QueuedJob; readonly response: HttpResponse };

export type AskedCall = Asked & { readonly kind: 'call' };

/** One API in front of the models: how its requests are read, and how answers and errors look in it. */
export interface Door {
  /** The routes of the HTTP API that lead here, as in serverless.yml. */
  readonly routeKeys: readonly string[];
  /** Those of them that anybody may ask: they tell nothing of any model. */
  readonly openRouteKeys: readonly string[];
  /** @throws ServingError ValidationError, mostly */
  parse(request: HttpRequest): Asked | Promise<Asked>;
  encodeReply(
    reply: InferenceReply & { readonly ok: true },
    asked: AskedCall,
    requestId: string,
  ): HttpResponse;
  encodeError(error: ServingError, requestId: string): HttpResponse;
}

/** A request, and the API that it is for. */
export interface AtDoor {
  readonly door: Door;
  /** With its route and what its path says, whichever way it came. */
  readonly request: HttpRequest;
}

/**
 * Finds the door of a request. API Gateway has matched the path already; behind a function URL there is but one route, and
 * the path is matched here, as API Gateway would.
 */
export const createDoors = (doors: readonly Door[]): ((request: HttpRequest) => AtDoor | undefined) => {
  const routes = doors.flatMap((door) => door.routeKeys.map((routeKey) => ({ routeKey, door })));
  const byRoute = new Map(routes.map(({ routeKey, door }) => [routeKey, door]));
  const findRoute = createRouteTable(routes);

  return (request) => {
    if (!isFromFunctionUrl(request)) {
      const door = byRoute.get(request.routeKey);
      return door && { door, request };
    }
    const match = findRoute(request.requestContext.http?.method ?? '', request.rawPath ?? '');
    if (match === undefined) return undefined;
    const { route, pathParameters } = match;
    return { door: route.door, request: { ...request, routeKey: route.routeKey, pathParameters } };
  };
};
