import { readFile } from 'node:fs/promises';
import { type Cloud, type CloudOptions, startCloud } from '../local/cloud.ts';
import { describeEndpoint } from '../local/endpoint-file.ts';
import { issueLocalKey } from '../local/issue-local-key.ts';
import { seedModels } from '../local/seed.ts';
import { parseSettings } from '../local/settings.ts';
import { artifactPath } from '../test/fixtures/expected.ts';

export interface Called {
  readonly url: string;
  readonly apiKey?: string;
}

export interface Endpoint extends Required<Called> {
  readonly cloud: Cloud;
  /** How often an object has been read from S3: once for each load of a model. */
  reads(): number;
}

export const coldModel = (index: number): string => `cold-${index}.tar.gz`;

/** The whole local cloud with so many copies of one model, and as many more that nobody calls before they are measured. */
export const startEndpoint = async (
  options: Pick<CloudOptions, 'intercept' | 'invokes'> & {
    readonly directory: string;
    readonly models: number;
    readonly coldModels: number;
    readonly say: (text: string) => void;
  },
): Promise<Endpoint> => {
  const { directory, models, coldModels, say, ...more } = options;
  const settings = parseSettings({ PORT: '0', LOCAL_DIR: directory, MODELS: String(models) });
  const cloud = await startCloud({
    settings,
    now: Date.now,
    onProgress: say,
    onError: (error) => say(String(error)),
    ...more,
  });
  const {
    bucket,
    prefix,
    endpointName,
    apiKey = '',
  } = await issueLocalKey(describeEndpoint(cloud), directory);
  const { store } = cloud.s3;
  await seedModels({ store, bucket, prefix, models, directory, onProgress: () => undefined });
  const artifact = await readFile(artifactPath('diabetes'));
  for (let index = 1; index <= coldModels; index++) {
    await store.put(bucket, `${prefix}${coldModel(index)}`, artifact);
  }

  let reads = 0;
  const readBlob = store.readBlob.bind(store);
  store.readBlob = (...args) => {
    reads += 1;
    return readBlob(...args);
  };
  return { cloud, url: `${cloud.url}/endpoints/${endpointName}/invocations`, apiKey, reads: () => reads };
};

/** @returns how long one call took, in milliseconds */
export const callOnce = async (
  { url, apiKey = '' }: Called,
  model: string,
  body: string,
): Promise<number> => {
  const startedMs = performance.now();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-amzn-sagemaker-target-model': model,
      'x-api-key': apiKey,
    },
    body,
  });
  await response.text();
  if (response.status !== 200) throw new Error(`status ${response.status}`);
  return performance.now() - startedMs;
};
