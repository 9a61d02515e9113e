import { type Agent, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { sign } from 'aws4';

/** Node's client, and what signs for it, in a file of their own: a start that makes no request does not pay for them. */
export interface Transport {
  readonly sign: typeof sign;
  readonly start: typeof httpRequest;
  readonly agent: Agent;
}

export const openTransport = (isPlain: boolean): Transport =>
  isPlain
    ? { sign, start: httpRequest, agent: new HttpAgent({ keepAlive: true }) }
    : { sign, start: httpsRequest as typeof httpRequest, agent: new HttpsAgent({ keepAlive: true }) };
