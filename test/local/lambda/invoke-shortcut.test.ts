import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startLambda } from './lambda-harness.ts';

/** Calls another function as lib/aws/signed-requests.ts does, and says all that it has seen. */
const CALLER = `
  const http = process.getBuiltinModule('node:http');
  const { hostname: host, port } = new URL(process.env.AWS_ENDPOINT_URL);
  const agent = new http.Agent({ keepAlive: true });
  const send = ({ path, body = '{}', idleMs = 5000, headers = {} }) =>
    new Promise((resolve) => {
      const out = http.request({ agent, host, port, method: 'POST', path, headers: { ...headers, 'content-length': Buffer.byteLength(body) } });
      out.once('socket', () => out.setTimeout(idleMs));
      out.on('timeout', () => out.destroy(Object.assign(new Error('late'), { code: 'ESILENT' })));
      out.once('error', ({ code }) => resolve({ code }));
      out.once('response', async (response) => {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        const { 'x-amzn-errortype': type, 'x-amz-function-error': failed, 'content-type': contentType } = response.headers;
        resolve({ status: response.statusCode, type, failed, contentType, text: Buffer.concat(chunks).toString(), isBuffer: Buffer.isBuffer(chunks[0]) });
      });
      out.end(body);
    });
  export const handler = async ({ calls }) => ({ seen: await Promise.all(calls.map(send)), how: process.env.LOCAL_INVOKE ?? null });
`;
const ECHO = `export const handler = async (event) => {
  if (event.wait) await new Promise((resolve) => setTimeout(resolve, event.wait));
  if (event.fail) throw new TypeError(event.fail);
  if (event.exit) process.exit(7);
  return { event };
};`;

let harness: Harness;
beforeAll(async () => {
  harness = await startLambda({
    isReachable: true,
    functions: {
      http: { source: CALLER },
      message: { source: CALLER, environment: { LOCAL_INVOKE: 'message' } },
      // Nobody listens there.
      unreachable: {
        source: CALLER,
        environment: { LOCAL_INVOKE: 'message', AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
      },
      echo: { source: ECHO, maxEnvironments: 4 },
    },
  });
});
afterAll(() => harness.close());

const to = (name: string, body?: object, more: object = {}) => ({
  path: `/2015-03-31/functions/${name}/invocations?Qualifier=live`,
  ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  ...more,
});

const seenBy = async (functionName: string, calls: readonly object[]) => {
  const { payload } = await harness.lambda.invoke({ functionName, payload: JSON.stringify({ calls }) });
  return JSON.parse(payload) as { seen: readonly Record<string, unknown>[]; how: string | null };
};

const ID = /RequestId: [\w-]+/g;
const withoutIds = (seen: readonly Record<string, unknown>[]) =>
  seen.map((each) => ({ ...each, text: String(each['text'] ?? '').replace(ID, 'RequestId: ...') }));

describe('a call of one function by another', () => {
  it.each([
    ['an answer', [to('echo', { letters: 'ü日😀' })]],
    ['several at once', [to('echo', { n: 1, wait: 50 }), to('echo', { n: 2 }), to('echo', { n: 3 })]],
    ['an empty event', [to('echo')]],
    ['a failure', [to('echo', { fail: 'no' })]],
    ['an end', [to('echo', { exit: true })]],
    ['a function that is not there', [to('nobody', {})]],
    ['a version that is not there', [{ path: '/2015-03-31/functions/echo/invocations?Qualifier=9' }]],
    ['an event that is too large', [to('echo', { letters: 'x'.repeat(6_291_456) })]],
    ['an event that nobody waits for', [to('echo', {}, { headers: { 'x-amz-invocation-type': 'Event' } })]],
    ['no JSON', [{ ...to('echo'), body: 'nonsense' }]],
    ['an answer that is too late', [to('echo', { wait: 1000 }, { idleMs: 100 })]],
    ['another operation', [{ path: '/2015-03-31/functions/echo' }]],
  ])('is the same by message as by HTTP: %s', async (_, calls) => {
    const [byHttp, byMessage] = [await seenBy('http', calls), await seenBy('message', calls)];
    expect(withoutIds(byMessage.seen)).toEqual(withoutIds(byHttp.seen));
    expect(byMessage.seen).toHaveLength(calls.length);
    expect([byHttp.how, byMessage.how]).toEqual([null, null]);
  });

  it('needs no connection by message, and everything else does', async () => {
    const { seen } = await seenBy('unreachable', [
      to('echo', { n: 1 }),
      { path: '/2015-03-31/functions/echo' },
    ]);
    expect(seen).toMatchObject([{ status: 200, text: '{"event":{"n":1}}' }, { code: 'ECONNREFUSED' }]);
  });
});
