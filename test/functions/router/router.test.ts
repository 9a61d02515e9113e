import { describe, expect, it } from 'vitest';
import { createRouter } from '../../../functions/router/router.ts';
import { ServingError } from '../../../lib/errors.ts';
import type { InferenceCall, InferenceReply } from '../../../lib/protocol/envelope.ts';
import { httpRequest, routes } from '../../fakes/builders.ts';
import { recordingMetrics } from '../../fakes/recording-metrics.ts';

const setUp = (answer: (call: InferenceCall) => Promise<InferenceReply>) => {
  const faults: string[] = [];
  const metrics = recordingMetrics();
  const router = createRouter({
    endpointName: 'mme',
    routes: { current: async () => routes() },
    dispatch: (_, call) => answer(call),
    metrics,
    onFault: (error) => faults.push(error.code),
  });
  return { router, faults, counts: metrics.sums };
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
    expect(counts()).toEqual({ Invocations: 1 });
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
    expect(JSON.parse(response.body)).toEqual({ Message: 'corrupt model' });
    expect(faults).toEqual([]);
    expect(counts()).toEqual({ Invocations: 1, Invocation4XXErrors: 1 });
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
    expect(counts()).toEqual({ Invocations: 1, Invocation5XXErrors: 1 });
  });
});
