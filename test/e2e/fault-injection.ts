import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Handle, signedService } from '../../local/dispatch.ts';

export type FaultKind = 'fails' | 'throttles' | 'hangs' | 'answers late' | 'breaks off';

/** What goes wrong with one operation of a service, as the functions call it. */
export interface Fault {
  readonly service: string;
  /** As AWS names it: GetObject, GetItem, Invoke. */
  readonly operation: string;
  readonly kind: FaultKind;
}

const LATE_MS = 700;

/** A switch before the local services: the fault that is on happens to every call of its operation. */
export class FaultSwitch {
  #fault: Fault | undefined;
  /** Calls that have met the fault that is on. */
  met = 0;

  set(fault: Fault | undefined): void {
    this.#fault = fault;
    this.met = 0;
  }

  readonly intercept =
    (handle: Handle): Handle =>
    (request, response) => {
      const fault = this.#fault;
      if (fault === undefined || !concerns(fault, request)) return handle(request, response);
      this.met += 1;
      happen(fault, request, response, handle);
    };
}

const concerns = ({ service, operation }: Fault, request: IncomingMessage): boolean =>
  signedService(request) === service && operationOf(service, request) === operation;

const operationOf = (service: string, { method, url = '', headers }: IncomingMessage): string => {
  if (service === 's3') return s3Operation(method ?? '', url);
  if (service === 'lambda') return url.includes('/invocations') ? 'Invoke' : 'ControlPlane';
  return String(headers['x-amz-target'] ?? '').replace(/^.*\./, '');
};

const s3Operation = (method: string, url: string): string => {
  if (method === 'GET') return /[?&](list-type|versions)/.test(url) ? 'List' : 'GetObject';
  return { PUT: 'PutObject', DELETE: 'DeleteObject', HEAD: 'HeadObject' }[method] ?? method;
};

const happen = (
  { service, kind }: Fault,
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handle,
): void => {
  switch (kind) {
    case 'answers late':
      setTimeout(() => handle(request, response), LATE_MS);
      return;
    case 'hangs':
      request.resume();
      return;
    case 'breaks off':
      request.socket.destroy();
      return;
    default:
      request.resume();
      answer(response, service, kind);
  }
};

/** In the words of each service. */
const answer = (response: ServerResponse, service: string, kind: 'fails' | 'throttles'): void => {
  const isThrottle = kind === 'throttles';
  if (service === 's3') {
    const code = isThrottle ? 'SlowDown' : 'InternalError';
    response.writeHead(isThrottle ? 503 : 500, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${kind}</Message></Error>`);
    return;
  }
  const [status, type] = {
    dynamodb: isThrottle ? [400, 'ProvisionedThroughputExceededException'] : [500, 'InternalServerError'],
    lambda: isThrottle ? [429, 'TooManyRequestsException'] : [500, 'ServiceException'],
    monitoring: isThrottle ? [400, 'ThrottlingException'] : [500, 'InternalServiceFault'],
  }[service] ?? [isThrottle ? 400 : 500, isThrottle ? 'ThrottlingException' : 'InternalServerError'];
  response.writeHead(Number(status), {
    'content-type': 'application/json',
    'x-amzn-errortype': String(type),
  });
  response.end(JSON.stringify({ __type: type, message: kind, Message: kind }));
};
