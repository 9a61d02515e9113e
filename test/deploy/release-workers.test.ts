import { createRequire } from 'node:module';
import {
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningCloud, startTestCloud } from '../e2e/cloud-harness.ts';

const { releaseWorkers } = createRequire(import.meta.url)('../../deploy/release-workers.cjs') as {
  releaseWorkers(provider: object, names: { scaler: string; groups: readonly string[] }): Promise<number>;
};

let running: RunningCloud;
let client: LambdaClient;
beforeAll(async () => {
  running = await startTestCloud({ LOCAL_TICK_SECONDS: '60', PARAMS: 'coldShards=2' });
  client = new LambdaClient(options());
}, 120_000);
afterAll(async () => {
  client.destroy();
  await running.close();
});

const options = () => ({
  endpoint: running.cloud.url,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

describe('before a stack is removed', () => {
  it('every provisioned concurrency is deleted, whatever the version, and the scaler brings none back', async () => {
    const { endpointName } = running.endpoint;
    const groups = ['cold-00', 'cold-01', 'hot-00'].map((group) => `${endpointName}-${group}`);
    for (const FunctionName of groups.slice(1)) {
      await client.send(
        new PutProvisionedConcurrencyConfigCommand({
          FunctionName,
          Qualifier: '1',
          ProvisionedConcurrentExecutions: 1,
        }),
      );
    }

    const provider = { getAwsSdkV3Config: async () => options() };
    const names = { scaler: `${endpointName}-scaler`, groups: [...groups, `${endpointName}-hot-99`] };
    expect(await releaseWorkers(provider, names)).toBe(2);

    for (const FunctionName of groups) {
      const { ProvisionedConcurrencyConfigs } = await client.send(
        new ListProvisionedConcurrencyConfigsCommand({ FunctionName }),
      );
      expect(ProvisionedConcurrencyConfigs).toEqual([]);
    }
    await expect(
      running.cloud.lambda.invoke({ functionName: names.scaler, qualifier: 'live', payload: '{}' }),
    ).rejects.toMatchObject({ status: 429 });
    expect(await releaseWorkers(provider, names)).toBe(0);
  }, 60_000);
});
