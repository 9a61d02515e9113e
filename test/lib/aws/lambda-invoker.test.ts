import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lambdaInvoker } from '../../../lib/aws/lambda-invoker.ts';
import { TargetGone, Throttled } from '../../../lib/routing/invoker.ts';
import { call } from '../../fakes/builders.ts';

const target = { functionName: 'mme-cold-00', qualifier: 'live' };

/** Lambda's REST API, answering whatever a test sets. */
let answer: { status: number; headers?: Record<string, string>; body: string } | 'hang' | 'reset';
/** What was kept open is closed without a word. */
let resetsNext = false;
let asked: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
let server: Server;
let endpoint: string;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    asked.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    if (resetsNext) {
      resetsNext = false;
      return void request.socket.destroy();
    }
    if (answer === 'hang') return;
    if (answer === 'reset') return void request.socket.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked = [];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const invoker = (answerWithinMs = 5000) =>
  lambdaInvoker(
    { AWS_ENDPOINT_URL_LAMBDA: endpoint, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    { answerWithinMs },
  );
const invoke = () => invoker().invoke(target, call());

describe('lambdaInvoker', () => {
  it('tells a function or version that is gone', async () => {
    answer = {
      status: 404,
      headers: { 'x-amzn-errortype': 'ResourceNotFoundException:http://internal.amazon.com/coral/' },
      body: JSON.stringify({ Type: 'User', Message: 'Function not found' }),
    };
    await expect(invoke()).rejects.toBeInstanceOf(TargetGone);
  });

  it('passes on the trace that Lambda gives a call', async () => {
    answer = { status: 200, body: '{"ok":true}' };
    const environment = {
      AWS_ENDPOINT_URL_LAMBDA: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1',
    };
    await lambdaInvoker(environment, { answerWithinMs: 5000 }).invoke(target, call());

    expect(asked[0]?.headers['x-amzn-trace-id']).toBe(environment._X_AMZN_TRACE_ID);
    expect(asked[0]?.headers.authorization).not.toContain('trace');
  });

  it('replaces a connection that was kept open and is closed', async () => {
    const reply = { ok: true, contentType: 'application/json', body: '[[1]]' };
    answer = { status: 200, body: JSON.stringify(reply) };
    const { invoke: again } = invoker();
    await again(target, call());
    await new Promise((resolve) => setImmediate(resolve));
    resetsNext = true;

    expect(await again(target, call())).toEqual(reply);

    // On a new connection nobody can know whether the call has run.
    answer = 'reset';
    await expect(invoke()).rejects.toMatchObject({ code: 'ServiceUnavailable' });
  });

  it('sends the call to the function and its qualifier, and reads the reply', async () => {
    const reply = { ok: true, contentType: 'application/json', body: '[[1]]' };
    answer = { status: 200, body: JSON.stringify(reply) };

    expect(await invoke()).toEqual(reply);

    expect(asked[0]?.url).toContain('/functions/mme-cold-00/invocations?Qualifier=live');
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual(call());
  });

  it.each([
    ['ReservedFunctionConcurrentInvocationLimitExceeded', 'function'],
    ['FunctionInvocationRateLimitExceeded', 'function'],
    ['ConcurrentInvocationLimitExceeded', 'account'],
    ['CallerRateLimitExceeded', 'account'],
  ])('tells the throttle %s as one of the %s', async (reason, scope) => {
    answer = {
      status: 429,
      headers: { 'x-amzn-errortype': 'TooManyRequestsException', 'retry-after': '4' },
      body: JSON.stringify({ Reason: reason, message: 'Rate Exceeded.' }),
    };

    const error = await invoke().catch((caught: unknown) => caught);

    expect(error).toBeInstanceOf(Throttled);
    expect(error).toMatchObject({ scope, retryAfterSeconds: 4 });
    expect(asked).toHaveLength(1);
  });

  it.each([
    [
      'Sandbox.Timedout',
      'RequestId: r Error: Task timed out after 380.00 seconds',
      'ModelError',
      /time limit/,
    ],
    ['Runtime.OutOfMemory', 'RequestId: r Error: memory', 'ModelError', /more memory than a worker has/],
    ['Runtime.ExitError', 'RequestId: r Error: Runtime exited', 'ServiceUnavailable', /was lost; try again/],
  ])('translates %s', async (errorType, errorMessage, code, message) => {
    answer = {
      status: 200,
      headers: { 'x-amz-function-error': 'Unhandled' },
      body: JSON.stringify({ errorType, errorMessage }),
    };

    await expect(invoke()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('does not send an event that Lambda would refuse for its size', async () => {
    const large = call({ body: 'x'.repeat(6_291_456) });

    await expect(invoker().invoke(target, large)).rejects.toMatchObject({
      code: 'ValidationError',
      message: expect.stringContaining('at most 6291456'),
    });
    expect(asked).toEqual([]);
  });

  it('says that the service is unavailable when the connection breaks, and does not call twice', async () => {
    answer = 'reset';

    await expect(invoke()).rejects.toMatchObject({ code: 'ServiceUnavailable' });
    expect(asked).toHaveLength(1);
  });

  it('says that the model is not ready when the door closes first', async () => {
    answer = 'hang';

    await expect(invoker(50).invoke(target, call())).rejects.toMatchObject({
      code: 'ModelNotReadyException',
      status: 429,
    });
    await expect(invoker().invoke(target, call({ remainingMs: 50 }))).rejects.toMatchObject({
      code: 'ModelNotReadyException',
    });
  });

  it('calls an answer that is no reply a bug', async () => {
    answer = { status: 200, body: '"hello"' };

    await expect(invoke()).rejects.toThrow('no InferenceReply');
  });
});
