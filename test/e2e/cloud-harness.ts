import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { type Cloud, REGION, startCloud } from '../../local/cloud.ts';
import type { Handle } from '../../local/dispatch.ts';
import { describeEndpoint, type EndpointFile } from '../../local/endpoint-file.ts';
import { issueLocalKey } from '../../local/issue-local-key.ts';
import { seedModels } from '../../local/seed.ts';
import { parseSettings } from '../../local/settings.ts';

export interface RunningCloud {
  readonly cloud: Cloud;
  readonly endpoint: EndpointFile;
  readonly directory: string;
  /** What an unchanged program would use, given the URL and the printed keys. */
  readonly runtime: SageMakerRuntimeClient;
  readonly errors: readonly unknown[];
  close(): Promise<void>;
}

/** The whole local cloud in this process, on a free port and in a temporary folder. */
export const startTestCloud = async (
  environment: Record<string, string> = {},
  intercept?: (handle: Handle) => Handle,
): Promise<RunningCloud> => {
  const directory = await mkdtemp(join(tmpdir(), 'cloud-'));
  const settings = parseSettings({ PORT: '0', LOCAL_DIR: directory, MODELS: '5', ...environment });
  const errors: unknown[] = [];
  const cloud = await startCloud({
    settings,
    now: Date.now,
    onProgress: () => undefined,
    onError: (error) => errors.push(error),
    ...(intercept === undefined ? {} : { intercept }),
  });
  const endpoint = await issueLocalKey(describeEndpoint(cloud), directory);
  const { bucket, prefix } = endpoint;
  await seedModels({
    store: cloud.s3.store,
    bucket,
    prefix,
    models: settings.models,
    directory,
    onProgress: () => undefined,
  });
  const runtime = new SageMakerRuntimeClient({
    endpoint: cloud.url,
    region: REGION,
    credentials: { accessKeyId: endpoint.accessKeyId, secretAccessKey: endpoint.secretAccessKey },
    maxAttempts: 1,
  });

  return {
    cloud,
    endpoint,
    directory,
    runtime,
    errors,
    close: async () => {
      runtime.destroy();
      await cloud.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
