import * as http from 'node:http';
import * as https from 'node:https';

/** SageMaker gives a model 60 seconds; what takes longer has no answer to wait for. */
const CALL_TIMEOUT_MS = 65_000;

export interface Answer {
  /** `failure`: answered, but not with 2xx. `lost`: not answered. */
  readonly kind: 'success' | 'failure' | 'lost';
  /** The status, or the reason why there is none. */
  readonly label: string;
  /** What a failure says, its beginning. */
  readonly text?: string;
}

const MAX_TEXT = 300;

/** Never rejects: that a call failed is a result. */
export type Send = (model: string) => Promise<Answer>;

export interface Sender {
  readonly send: Send;
  /** Gives up the calls in flight. */
  readonly close: () => void;
}

/**
 * One engine for both loops. autocannon has no open one: its rates hold back connections that wait for their
 * answers, and it makes up the calls they missed. It also gives no latencies by model.
 */
export const createSender = (
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Sender => {
  const { request, Agent } = url.protocol === 'https:' ? https : http;
  const agent = new Agent({ keepAlive: true });
  let isClosed = false;

  const send: Send = (model) =>
    new Promise((resolve) => {
      const call = request(url, {
        agent,
        method: 'POST',
        headers: { ...headers, ...headersOf(model, body) },
      });
      const timer = setTimeout(() => call.destroy(new CallTimeout()), CALL_TIMEOUT_MS);
      const end = (answer: Answer): void => {
        clearTimeout(timer);
        resolve(answer);
      };
      const lose = (error: Error): void =>
        end({ kind: 'lost', label: isClosed ? 'given up' : reasonOf(error) });
      call.once('error', lose);
      call.once('response', (response) => {
        response.once('error', lose);
        const answer = answerOf(response.statusCode ?? 0);
        let text = '';
        response.on('data', (chunk: Buffer) => {
          if (answer.kind !== 'success' && text.length < MAX_TEXT) text += chunk.toString();
        });
        response.once('end', () => end(text === '' ? answer : { ...answer, text: text.slice(0, MAX_TEXT) }));
      });
      call.end(body);
    });

  const close = (): void => {
    isClosed = true;
    agent.destroy();
  };
  return { send, close };
};

class CallTimeout extends Error {
  readonly code = 'timeout';
}

const headersOf = (model: string, body: string) => ({
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(body),
  'x-amzn-sagemaker-target-model': model,
});

const answerOf = (status: number): Answer => ({
  kind: status >= 200 && status < 300 ? 'success' : 'failure',
  label: String(status),
});

const reasonOf = (error: Error & { code?: string }): string => error.code ?? error.message;
