import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { explainModel, explanationText } from '../../cli/describe-model.ts';
import { workersText } from '../../cli/describe-workers.ts';
import { sdkTable } from '../../cli/sdk-table.ts';
import { dynamodbCatalog } from '../../lib/aws/dynamodb-catalog.ts';
import { dynamodbScalerStore } from '../../lib/aws/dynamodb-scaler-store.ts';
import { CREDENTIALS, REGION } from '../../local/cloud.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

const HOT = 'diabetes-0001.tar.gz';
const BODY = JSON.stringify({ instances: [new Array(10).fill(0.01)] });
const CALL_EVERY_MS = 25;

let running: RunningCloud;
let client: DynamoDBClient;

beforeAll(async () => {
  // A minute of a second: everything that takes ten minutes on AWS takes ten seconds here.
  running = await startTestCloud({
    LOCAL_TICK_SECONDS: '1',
    PARAMS: 'slowAnswerDollars=10000 workerBudget=4',
  });
  client = new DynamoDBClient({
    endpoint: running.cloud.url,
    region: REGION,
    credentials: { ...CREDENTIALS },
  });
}, 60_000);
afterAll(async () => {
  client.destroy();
  await running.close();
});

/** Calls one model again and again until it is told to stop. */
const callUntil = (stop: AbortSignal) => {
  const failed: unknown[] = [];
  const calls: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    const command = new InvokeEndpointCommand({
      EndpointName: running.endpoint.endpointName,
      TargetModel: HOT,
      ContentType: 'application/json',
      Body: BODY,
    });
    calls.push(running.runtime.send(command).catch((error: unknown) => failed.push(error)));
  }, CALL_EVERY_MS);
  stop.addEventListener('abort', () => clearInterval(timer));
  return {
    failed,
    done: async () => {
      await Promise.all(calls);
      return calls.length;
    },
  };
};

const provisioned = () => running.cloud.lambda.status().filter((environment) => environment.provisioned);

describe('workers follow traffic, in the local cloud', () => {
  it('a model that is called much gets workers of its own, no call fails, and they go when nobody calls', async () => {
    const table = sdkTable(client, running.endpoint.table);
    const catalog = dynamodbCatalog(table);
    const store = dynamodbScalerStore(table);
    const stop = new AbortController();
    const caller = callUntil(stop.signal);

    const target = await vi.waitFor(
      async () => {
        const found = (await catalog.readRoutes())?.hot.get(HOT);
        if (found === undefined) throw new Error('it is not hot yet');
        return found;
      },
      { timeout: 45_000, interval: 200 },
    );
    await vi.waitFor(
      () => {
        const served = provisioned().filter(({ functionName }) => functionName === target.functionName);
        expect(served.some(({ invocations }) => invocations > 20)).toBe(true);
      },
      { timeout: 20_000, interval: 200 },
    );
    const plan = await store.readPlan();
    if (plan === undefined) throw new Error('no plan');
    expect(workersText(plan, Date.now())).toMatch(/^diabetes-0001\.tar\.gz +hot +hot-0\d/m);
    const [row] = await store.readModels([HOT]);
    expect(row?.sizeBytes).toBeGreaterThan(1000);
    expect(explanationText(explainModel(plan, HOT, row), plan, Date.now())).toMatch(/: hot, slot hot-0\d\n/);
    stop.abort();
    expect(await caller.done()).toBeGreaterThan(100);
    expect(caller.failed).toEqual([]);

    await vi.waitFor(
      async () => {
        expect((await catalog.readRoutes())?.hot.size).toBe(0);
        expect(provisioned()).toEqual([]);
      },
      { timeout: 60_000, interval: 500 },
    );
    expect(running.errors).toEqual([]);
  }, 140_000);
});
