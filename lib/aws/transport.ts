import { type Agent, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** Node's client in a file of its own: a start that makes no request does not pay for it. */
export interface Transport {
  readonly start: typeof httpRequest;
  readonly agent: Agent;
}

export const openTransport = (isPlain: boolean): Transport =>
  isPlain
    ? { start: httpRequest, agent: new HttpAgent({ keepAlive: true }) }
    : {
        start: httpsRequest as typeof httpRequest,
        agent: new HttpsAgent({ keepAlive: true }),
      };
