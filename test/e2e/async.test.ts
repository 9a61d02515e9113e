import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  InvokeEndpointAsyncCommand,
  type InvokeEndpointAsyncCommandInput,
} from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CREDENTIALS, REGION } from '../../local/cloud.ts';
import { writeEndpointFile } from '../../local/endpoint-file.ts';
import { artifactPath } from '../fixtures/expected.ts';
import { linearModel } from '../fixtures/onnx-model.ts';
import { tarGz } from '../fixtures/tar-archive.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

let running: RunningCloud;
let s3: S3Client;

const put = (key: string, body: Buffer): Promise<unknown> =>
  s3.send(new PutObjectCommand({ Bucket: running.endpoint.bucket, Key: key, Body: body }));

beforeAll(async () => {
  running = await startTestCloud({ MODELS: '2', PARAMS: 'asyncBatchSeconds=1' });
  await writeEndpointFile(running.directory, running.endpoint);
  s3 = new S3Client({
    endpoint: running.cloud.url,
    region: REGION,
    credentials: CREDENTIALS,
    forcePathStyle: true,
  });
  await put('models/iris.tar.gz', await readFile(artifactPath('iris')));
}, 60_000);
afterAll(async () => {
  s3.destroy();
  await running.close();
});

const IRIS = '[[5.1,3.5,1.4,0.2]]';

const call = (input: Partial<InvokeEndpointAsyncCommandInput>) =>
  running.runtime.send(
    new InvokeEndpointAsyncCommand({
      EndpointName: running.endpoint.endpointName,
      ContentType: 'application/json',
      CustomAttributes: 'target-model=iris.tar.gz',
      ...input,
    } as InvokeEndpointAsyncCommandInput),
  );

/** What is at a location, once it is there. */
const arrival = (location: string | undefined): Promise<string> => {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(location ?? '') ?? [];
  return vi.waitFor(
    async () => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return (await Body?.transformToString()) ?? '';
    },
    { timeout: 20_000, interval: 100 },
  );
};

describe('InvokeEndpointAsync', () => {
  it('answers at once, and leaves the output of an input in S3', async () => {
    await put('async/in/iris.json', Buffer.from(IRIS));
    const location = `s3://${running.endpoint.bucket}/async/in/iris.json`;
    const { InferenceId, OutputLocation, FailureLocation, $metadata } = await call({
      InputLocation: location,
      InferenceId: 'mine-7',
    });
    expect($metadata.httpStatusCode).toBe(202);
    expect(InferenceId).toBe('mine-7');
    expect(OutputLocation).toMatch(/^s3:\/\/lambda-mme-dev-models\/async\/lambda-mme-dev\/[\w-]+\.out$/);
    expect(FailureLocation).toMatch(/-error\.out$/);
    expect(JSON.parse(await arrival(OutputLocation))).toMatchObject({ label: [0] });
  });

  it('takes a small input with the call', async () => {
    const response = await fetch(
      `${running.cloud.url}/endpoints/${running.endpoint.endpointName}/async-invocations`,
      {
        method: 'POST',
        headers: {
          'x-api-key': running.endpoint.apiKey ?? '',
          'x-amzn-sagemaker-content-type': 'application/json',
          'x-amzn-sagemaker-target-model': 'iris.tar.gz',
        },
        body: IRIS,
      },
    );
    expect(response.status).toBe(202);
    const output = response.headers.get('x-amzn-sagemaker-outputlocation') ?? '';
    expect(JSON.parse(await arrival(output))).toMatchObject({ label: [0] });
  });

  it('runs many that come together', async () => {
    await put(
      'models/batched.tar.gz',
      tarGz([
        { path: 'model.onnx', content: linearModel([1, 2], 0) },
        { path: 'serving.properties', content: 'batch_size=8\n' },
      ]),
    );
    await put('async/in/row.json', Buffer.from('[[1,2]]'));
    const accepted = await Promise.all(
      Array.from({ length: 20 }, () =>
        call({
          CustomAttributes: 'target-model=batched.tar.gz',
          InputLocation: `s3://${running.endpoint.bucket}/async/in/row.json`,
        }),
      ),
    );
    const answers = await Promise.all(accepted.map(({ OutputLocation }) => arrival(OutputLocation)));
    expect(new Set(answers).size).toBe(1);
  });

  it('says in S3 why there is no output', async () => {
    await put('async/in/bad.json', Buffer.from('[["x"]]'));
    const bad = await call({ InputLocation: `s3://${running.endpoint.bucket}/async/in/bad.json` });
    const gone = await call({ InputLocation: `s3://${running.endpoint.bucket}/async/in/none.json` });
    const unknown = await call({
      InputLocation: `s3://${running.endpoint.bucket}/async/in/bad.json`,
      CustomAttributes: 'target-model=none.tar.gz',
    });
    expect(JSON.parse(await arrival(bad.FailureLocation))).toMatchObject({
      ErrorCode: 'ValidationError',
      TargetModel: 'iris.tar.gz',
    });
    expect(await arrival(gone.FailureLocation)).toContain('upload the input before the call');
    expect(await arrival(unknown.FailureLocation)).toContain('not found');
  });

  it.each([
    [{ CustomAttributes: undefined }, /InvokeEndpointAsync has no TargetModel/],
    [
      { InputLocation: 's3://other/async/x' },
      /InputLocation should be an object below s3:\/\/lambda-mme-dev-models\/async\//,
    ],
    [{ InputLocation: 's3://lambda-mme-dev-models/models/iris.tar.gz' }, /InputLocation should be/],
    [{ InputLocation: 's3://lambda-mme-dev-models/async/../models/x' }, /InputLocation should be/],
    [{ RequestTTLSeconds: 5 }, /RequestTTLSeconds should be a whole number from 60/],
    [{ EndpointName: 'other' }, /Endpoint "other" not found/],
  ])('refuses %j', async (input, message) => {
    const base = { InputLocation: `s3://${running.endpoint.bucket}/async/in/iris.json` };
    await expect(call({ ...base, ...(input as object) })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
      message: expect.stringMatching(message),
    });
  });
});

const python = process.env['MME_PYTHON'];

describe.skipIf(python === undefined)('boto3 (MME_PYTHON)', () => {
  const SCRIPT = `
import boto3, json, sys, time
endpoint = json.load(open(sys.argv[1]))
keys = dict(region_name=endpoint["region"], endpoint_url=endpoint["url"],
    aws_access_key_id=endpoint["accessKeyId"], aws_secret_access_key=endpoint["secretAccessKey"])
runtime, s3 = boto3.client("sagemaker-runtime", **keys), boto3.client("s3", **keys)
s3.put_object(Bucket=endpoint["bucket"], Key="async/in/boto.json", Body=b"[[5.1,3.5,1.4,0.2]]")
accepted = runtime.invoke_endpoint_async(EndpointName=endpoint["endpointName"], ContentType="application/json",
    CustomAttributes="target-model=iris.tar.gz", InputLocation=f"s3://{endpoint['bucket']}/async/in/boto.json")
bucket, _, key = accepted["OutputLocation"].removeprefix("s3://").partition("/")
s3.get_waiter("object_exists").wait(Bucket=bucket, Key=key, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
print(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
`;

  it('calls asynchronously, and waits for the output', async () => {
    const { stdout } = await promisify(execFile)(
      python ?? '',
      ['-c', SCRIPT, join(running.directory, 'endpoint.json')],
      { env: { PATH: process.env['PATH'] }, timeout: 40_000 },
    );
    expect(JSON.parse(stdout)).toMatchObject({ label: [0] });
  });
});
