import { type Agent, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import aws4 from 'aws4';

/** Node's client, and what signs for it, in a file of their own: a start that makes no request does not pay for them. */
export interface Transport {
  readonly sign: typeof aws4.sign;
  readonly start: typeof httpRequest;
  readonly agent: Agent;
}

export const openTransport = (isPlain: boolean): Transport =>
  isPlain
    ? { sign: aws4.sign, start: httpRequest, agent: new HttpAgent({ keepAlive: true }) }
    : {
        sign: aws4.sign,
        start: httpsRequest as typeof httpRequest,
        agent: new HttpsAgent({ keepAlive: true }),
      };
