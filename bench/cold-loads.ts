import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Handle, signedService } from '../local/dispatch.ts';
import { RequestCounts } from '../test/fixtures/request-counts.ts';
import { callOnce, coldModel, startEndpoint } from './endpoint.ts';
import { median } from './statistics.ts';

const COLD_MODELS = 60;
const S3_LATENCY_MS = 30;
const MODELS = 100;

export interface ColdLoads {
  /** The call that loads, less a warm one, in milliseconds. */
  readonly beyondWarmMs: number;
  readonly s3Requests: number;
}

/** First and second calls of models, one after the other, with 30 ms before each answer of S3, in a local cloud of their own. */
export const measureColdLoads = async (body: string, say: (text: string) => void): Promise<ColdLoads> => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-cold-'));
  const requests = new RequestCounts();
  const endpoint = await startEndpoint({
    directory,
    models: MODELS,
    coldModels: COLD_MODELS,
    say,
    intercept: (handle) => requests.intercept(withSlowS3(handle)),
  });
  try {
    // Every shard has an environment before the first call that counts.
    for (let index = 1; index <= 20; index++) await callOnce(endpoint, coldModel(index), body);
    const before = requests.of('s3');
    const beyond: number[] = [];
    for (let index = 21; index <= COLD_MODELS; index++) {
      const cold = await callOnce(endpoint, coldModel(index), body);
      beyond.push(cold - (await callOnce(endpoint, coldModel(index), body)));
    }
    const s3Requests = (requests.of('s3') - before) / beyond.length;
    return { beyondWarmMs: median(beyond), s3Requests };
  } finally {
    await endpoint.cloud.close();
    await rm(directory, { recursive: true, force: true });
  }
};

const withSlowS3 =
  (handle: Handle): Handle =>
  (request, response) => {
    if (signedService(request) !== 's3') handle(request, response);
    else setTimeout(() => handle(request, response), S3_LATENCY_MS);
  };
