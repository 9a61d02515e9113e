import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diabetesModel } from '../../local/seed.ts';
import { RequestCounts } from '../fixtures/request-counts.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

const MODELS = 20;
const CALLS = 200;

const requests = new RequestCounts();
let running: RunningCloud;
beforeAll(async () => {
  // No tick of the scaler but the first, whose requests are its own.
  const environment = {
    MODELS: String(MODELS),
    LOCAL_TICK_SECONDS: '60',
    LOCAL_MAX_ENVIRONMENTS: '1',
    PARAMS: 'coldShards=1 hotSlots=1',
  };
  running = await startTestCloud(environment, requests.intercept);
  await invoke(1);
}, 60_000);
afterAll(() => running.close());

const invoke = async (index: number): Promise<void> => {
  const { endpointName, apiKey = '' } = running.endpoint;
  const response = await fetch(`${running.cloud.url}/endpoints/${endpointName}/invocations`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': apiKey,
      'x-amzn-sagemaker-target-model': diabetesModel(index),
    },
    body: JSON.stringify({ instances: [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] }),
  });
  expect({ status: response.status, text: await response.text() }).toMatchObject({ status: 200 });
};

describe('requests that a call costs', () => {
  it('are one to S3 for the first of a small model', async () => {
    requests.reset();
    for (let index = 2; index <= MODELS; index++) await invoke(index);

    expect(requests.of('s3')).toBe(MODELS - 1);
  });

  it('are Invoke alone for every other: what the table says is read now and then, not for each call', async () => {
    requests.reset();
    const startedMs = performance.now();
    for (let call = 0; call < CALLS; call++) await invoke(1 + (call % MODELS));
    const lifetimes = 1 + Math.ceil((performance.now() - startedMs) / 5000);

    expect(requests.of('lambda')).toBe(CALLS);
    expect(requests.of('s3')).toBe(0);
    // Routes, the endpoint's row and the key live five seconds or longer; with what a tick and the catalog may add.
    expect(requests.of('dynamodb')).toBeLessThanOrEqual(10 * lifetimes);
    expect(requests.of('monitoring') + requests.of('sqs') + requests.of('ssm')).toBeLessThanOrEqual(
      5 * lifetimes,
    );
  });
});
