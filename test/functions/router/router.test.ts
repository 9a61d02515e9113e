import { describe, expect, it } from 'vitest';
import { createRouter } from '../../../functions/router/router.ts';
import type { QueuedJob } from '../../../lib/async/queued-job.ts';
import { ServingError } from '../../../lib/errors.ts';
import { openDoors } from '../../../lib/protocol/doors.ts';
import type { InferenceCall, InferenceReply } from '../../../lib/protocol/envelope.ts';
import { httpRequest, oneEndpoint, routes } from '../../fakes/builders.ts';
import { recordingMetrics } from '../../fakes/recording-metrics.ts';

const setUp = (
  answer: (call: InferenceCall) => Promise<InferenceReply>,
  load?: { readonly lastMs?: number; readonly expectedEndMs?: number },
) => {
  let timerMs = 0;
  const faults: string[] = [];
  const queued: QueuedJob[] = [];
  const metrics = recordingMetrics();
  const router = createRouter({
    doorOf: openDoors(oneEndpoint('mme'), { bucket: 'b', newId: () => 'id', now: () => 0 }),
    routes: { current: async () => routes() },
    dispatch: (_, call) => answer(call),
    queue: { send: async (job) => void queued.push(job) },
    metrics,
    answerWithinMs: 28_000,
    functionUrlAnswerMs: 60_000,
    loads: { find: async () => load },
    now: () => 1_000_000,
    timer: () => timerMs++,
    onFault: (error) => faults.push(error.code),
  });
  return { router, queued, faults, metrics, counts: metrics.sums };
};

const answers = (reply: InferenceReply) => async (): Promise<InferenceReply> => reply;

describe('router', () => {
  it('answers a prediction', async () => {
    const { router, counts } = setUp(answers({ ok: true, contentType: 'text/csv', body: '152.1' }));

    const response = await router(httpRequest());

    expect(response).toMatchObject({
      statusCode: 200,
      headers: { 'content-type': 'text/csv' },
      body: '152.1',
    });
    expect(counts()).toMatchObject({ Invocations: 1, Invocation4XXErrors: 0, Invocation5XXErrors: 0 });
  });

  it('waits longer behind a function URL, whose path it reads itself', async () => {
    const calls: InferenceCall[] = [];
    const { router } = setUp(async (call) => {
      calls.push(call);
      return { ok: true, contentType: 'text/csv', body: '1' };
    });
    const http = { method: 'POST' };

    expect((await router(httpRequest())).statusCode).toBe(200);
    const fromUrl = (path: string) =>
      router(httpRequest({ routeKey: '$default', rawPath: path, requestContext: { requestId: 'r', http } }));
    expect((await fromUrl('/endpoints/mme/invocations')).statusCode).toBe(200);
    expect((await fromUrl('/predictions/a~1b')).statusCode).toBe(200);
    expect((await fromUrl('/nothing')).statusCode).toBe(404);

    expect(calls.map(({ model }) => model)).toEqual([calls[0]?.model, calls[0]?.model, 'a/b.tar.gz']);
    const [api = 0, url = 0] = calls.map(({ remainingMs }) => remainingMs);
    expect([Math.ceil(api / 1000), Math.ceil(url / 1000)]).toEqual([28, 60]);
  });

  it('answers a ping without calling anything', async () => {
    const { router, counts } = setUp(() => Promise.reject(new Error('not to be called')));

    expect((await router(httpRequest({ routeKey: 'GET /ping' }))).statusCode).toBe(200);
    expect(counts()).toEqual({});
  });

  it("passes on the worker's refusal, and does not call it a fault", async () => {
    const { router, faults, counts } = setUp(
      answers({ ok: false, code: 'ModelError', message: 'corrupt model' }),
    );

    const response = await router(httpRequest());

    expect(response.statusCode).toBe(424);
    expect(JSON.parse(response.body)).toEqual({
      Message: 'corrupt model',
      OriginalStatusCode: 500,
      OriginalMessage: 'corrupt model',
      LogStreamArn: '',
    });
    expect(faults).toEqual([]);
    expect(counts()).toMatchObject({ Invocations: 1, Invocation4XXErrors: 1, InvocationModelErrors: 1 });
  });

  it('passes on when to retry', async () => {
    const reply = {
      ok: false,
      code: 'ModelNotReadyException',
      message: 'loading',
      retryAfterSeconds: 7,
    } as const;

    const response = await setUp(answers(reply)).router(httpRequest());

    expect(response).toMatchObject({ statusCode: 429, headers: { 'retry-after': '7' } });
  });

  it('answers 400 without calling a worker when the request names no model', async () => {
    const { router } = setUp(() => Promise.reject(new Error('not to be called')));

    expect((await router(httpRequest({ headers: {} }))).statusCode).toBe(400);
  });

  it.each([
    [new Error('a bug'), 500, 'InternalFailure'],
    [new ServingError('ServiceUnavailable', 'worker lost'), 503, 'ServiceUnavailable'],
  ])('reports %s as a fault', async (error, status, code) => {
    const { router, faults, counts } = setUp(() => Promise.reject(error));

    const response = await router(httpRequest());

    expect(response).toMatchObject({ statusCode: status, headers: { 'x-amzn-errortype': code } });
    expect(faults).toEqual([code]);
    expect(counts()).toMatchObject({ Invocations: 1, Invocation4XXErrors: 0, Invocation5XXErrors: 1 });
  });

  it('passes on the bytes of an answer', async () => {
    const reply = {
      ok: true,
      contentType: 'application/x-npy',
      body: 'AAEC',
      isBase64Encoded: true,
    } as const;

    expect(await setUp(answers(reply)).router(httpRequest())).toMatchObject({
      body: 'AAEC',
      isBase64Encoded: true,
    });
  });

  it("tells the model's time from its own, and the load of one instance from that of all", async () => {
    let turn = 0;
    const { router, metrics } = setUp(async () => ({
      ok: true,
      contentType: 'text/csv',
      body: '',
      worker: `worker-${turn++ % 2}`,
      tookMicros: 300,
    }));

    for (let count = 0; count < 4; count++) await router(httpRequest());

    expect(metrics.values('ModelLatency')).toEqual([300, 300, 300, 300]);
    expect(metrics.values('OverheadLatency')).toEqual([1700, 1700, 1700, 1700]);
    expect(metrics.values('InvocationsPerInstance')).toEqual([1, 0.5, 0.5, 0.5]);
  });
});

describe('a model that outlasts the door', () => {
  const timeUp = () => Promise.reject(new ServingError('ModelNotReadyException', 'time was up'));

  it.each([
    ['is loading, and when that ends is known', { expectedEndMs: 1_042_300 }, '43'],
    ['took so long the last time', { lastMs: 12_400 }, '13'],
    ['should be there by now', { expectedEndMs: 900_000 }, '1'],
    ['is slow for a reason that nobody knows', undefined, '1'],
    ['would take too long', { lastMs: 9_000_000 }, '360'],
  ])('is answered with when to come back: it %s', async (_, load, seconds) => {
    const { router } = setUp(timeUp, load);

    expect(await router(httpRequest())).toMatchObject({
      statusCode: 429,
      headers: { 'retry-after': seconds },
    });
  });
});
