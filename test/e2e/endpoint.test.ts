import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  InvokeEndpointCommand,
  type InvokeEndpointCommandInput,
  SageMakerRuntimeServiceException,
  ValidationError,
} from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CREDENTIALS, REGION } from '../../local/cloud.ts';
import { diabetesModel } from '../../local/seed.ts';
import { largestRelativeError } from '../fixtures/closeness.ts';
import { artifactPath, readExpected } from '../fixtures/expected.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

const MODELS = 40;
let running: RunningCloud;

beforeAll(async () => {
  running = await startTestCloud({ MODELS: String(MODELS) });
});
afterAll(() => running.close());

const invoke = async (input: Partial<InvokeEndpointCommandInput>) => {
  const output = await running.runtime.send(
    new InvokeEndpointCommand({
      EndpointName: running.endpoint.endpointName,
      ContentType: 'application/json',
      Body: '',
      ...input,
    }),
  );
  return { ...output, text: Buffer.from(output.Body ?? []).toString() };
};

/** The functions that have an environment now. */
const functions = (): readonly string[] =>
  running.cloud.lambda.status().map(({ functionName }) => functionName);

const numbers = (value: unknown): readonly number[] =>
  (Array.isArray(value) ? value.flat(2) : [value]).map(Number);

describe('the endpoint, called by an unchanged AWS SDK', () => {
  it('gets a prediction from every model', async () => {
    const { inputs, outputs } = await readExpected('diabetes');
    const [expected = []] = Object.values(outputs);
    const models = Array.from({ length: MODELS }, (_, index) => diabetesModel(index + 1));

    const answers = await Promise.all(
      models.map((TargetModel) => invoke({ TargetModel, Body: JSON.stringify({ instances: inputs }) })),
    );

    for (const { text } of answers) {
      const { predictions } = JSON.parse(text) as { predictions: readonly unknown[] };
      expect(largestRelativeError(numbers(predictions), numbers(expected))).toBeLessThan(1e-5);
    }
  });

  it.each(['iris', 'digits'])('agrees with scikit-learn on labels and probabilities: %s', async (name) => {
    const { inputs, outputs } = await readExpected(name);

    const { text } = await invoke({ TargetModel: `${name}.tar.gz`, Body: JSON.stringify({ inputs }) });

    const came = (JSON.parse(text) as { outputs: Record<string, unknown> }).outputs;
    expect(Object.keys(came)).toEqual(Object.keys(outputs));
    for (const [output, expected] of Object.entries(outputs)) {
      expect(largestRelativeError(numbers(came[output]), numbers(expected))).toBeLessThan(1e-5);
    }
  });

  it('takes and gives CSV', async () => {
    const { inputs, outputs } = await readExpected('iris');
    const Body = inputs.map((row) => row.join(',')).join('\n');

    const { text, ContentType } = await invoke({
      TargetModel: 'iris.tar.gz',
      ContentType: 'text/csv',
      Accept: 'text/csv',
      Body,
    });

    expect(ContentType).toBe('text/csv');
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(',').map(Number));
    const expected = (outputs['label'] ?? []).map((label, row) => [
      label,
      ...[outputs['probabilities']?.[row]].flat(),
    ]);
    expect(largestRelativeError(rows.flat(), numbers(expected))).toBeLessThan(1e-5);
  });

  it('says which variant answered', async () => {
    const { inputs } = await readExpected('diabetes');

    const output = await invoke({ TargetModel: diabetesModel(1), Body: JSON.stringify(inputs) });

    expect(output.InvokedProductionVariant).toBe('AllTraffic');
    expect(output.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('serves a model the moment it is in S3, under any legal name', async () => {
    const { inputs } = await readExpected('iris');
    const TargetModel = 'tenant 7/übung+1 (v2)/churn.tar.gz';
    const { awsEndpointUrl, bucket, prefix } = running.endpoint;
    const s3 = new S3Client({ endpoint: awsEndpointUrl, region: REGION, credentials: { ...CREDENTIALS } });
    const Body = JSON.stringify({ instances: inputs.slice(0, 1) });
    await expect(invoke({ TargetModel, Body })).rejects.toThrow('not found');

    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: prefix + TargetModel,
        Body: await readFile(artifactPath('iris')),
      }),
    );

    expect((await invoke({ TargetModel, Body })).text).toContain('predictions');
    s3.destroy();
  });

  const row = (length: number): readonly number[] => Array<number>(length).fill(0.1);
  it.each<[string, Partial<InvokeEndpointCommandInput>, RegExp]>([
    ['an unknown model', { TargetModel: 'none.tar.gz' }, /"none.tar.gz" not found.*upload the artifact/],
    ['no TargetModel', {}, /TargetModel is missing/],
    [
      'an unknown endpoint',
      { EndpointName: 'other', TargetModel: 'iris.tar.gz' },
      /"other" not found.*CreateEndpoint/,
    ],
    ['what is not JSON', { Body: '{"instances": [[1,' }, /body is not JSON/],
    [
      'ragged rows',
      { Body: JSON.stringify([row(10), row(9)]) },
      /body\[1\] has 9 values, but the body\[0\] has 10/,
    ],
    [
      'too few columns',
      { Body: JSON.stringify({ instances: [row(9)] }) },
      /instances\[0\] has 9 values, but should have 10/,
    ],
    ['one dimension too few', { Body: JSON.stringify(row(10)) }, /nested 2 deep/],
    ['null', { Body: 'null' }, /but is null/],
    [
      'null inside',
      { Body: JSON.stringify([[...row(9), null]]) },
      /body\[0\]\[9\] should be a number.*but is null/,
    ],
    ['an empty body', { Body: '' }, /body is empty/],
    ['no rows', { Body: '{"instances": []}' }, /instances is empty/],
    ['a header line in CSV', { ContentType: 'text/csv', Body: 'age,sex\n1,2' }, /line 1 has 2 columns/],
    [
      'a content type that nobody knows',
      { ContentType: 'image/png', Body: 'x' },
      /"image\/png" is not supported/,
    ],
    ['an Accept that nobody can serve', { Accept: 'image/png', Body: '[[1]]' }, /Accept "image\/png"/],
    ['a name that climbs', { TargetModel: '../secret.tar.gz' }, /".." segment/],
    ['a name of another kind', { TargetModel: 'model.pkl' }, /should end in .tar.gz or .onnx/],
  ])('raises ValidationError for %s', async (_, input, message) => {
    const isAboutTheModel = input.TargetModel !== undefined || Object.keys(input).length === 0;
    const TargetModel = isAboutTheModel ? input.TargetModel : diabetesModel(1);

    const error = await invoke({ ...input, ...(TargetModel === undefined ? {} : { TargetModel }) }).catch(
      (caught: unknown) => caught,
    );

    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).$metadata.httpStatusCode).toBe(400);
    expect((error as ValidationError).message || (error as ValidationError).Message).toMatch(message);
  });

  it.each([
    ['that is no archive', Buffer.from('hello'), /no whole gzipped tar/],
    ['cut short', undefined, /no whole gzipped tar/],
  ])('raises ModelError for an artifact %s, and goes on serving the others', async (name, bytes, message) => {
    const whole = await readFile(artifactPath('digits'));
    const key = `broken ${name}.tar.gz`;
    const { bucket, prefix } = running.endpoint;
    await running.cloud.s3.store.put(bucket, prefix + key, bytes ?? whole.subarray(0, whole.length / 2));

    await expect(invoke({ TargetModel: key, Body: '[[1]]' })).rejects.toMatchObject({
      name: 'ModelError',
      $metadata: { httpStatusCode: 424 },
      message: expect.stringMatching(message),
    });
    const { inputs } = await readExpected('iris');
    expect((await invoke({ TargetModel: 'iris.tar.gz', Body: JSON.stringify(inputs) })).text).toContain(
      'label',
    );
  });

  it('loses nothing when idle workers are killed: the next call works', async () => {
    const { inputs } = await readExpected('diabetes');
    const request = { TargetModel: diabetesModel(2), Body: JSON.stringify(inputs) };
    await invoke(request);

    for (const { pid, functionName } of running.cloud.lambda.status()) {
      if (functionName.includes('-cold-') && pid !== undefined) process.kill(pid, 'SIGKILL');
    }
    await vi.waitFor(() => expect(functions().filter((name) => name.includes('-cold-'))).toEqual([]));

    expect((await invoke(request)).text).toContain('[');
  });

  it('loses at most one call of a stream of them when a busy worker is killed', async () => {
    const { inputs } = await readExpected('diabetes');
    const request = { TargetModel: diabetesModel(4), Body: JSON.stringify(inputs) };
    await invoke(request);

    let killed = false;
    const results = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const result = await invoke(request).catch((error: unknown) => error);
        const busy = running.cloud.lambda
          .status()
          .find(({ functionName, state }) => functionName.includes('-cold-') && state === 'busy');
        if (!killed && busy?.pid !== undefined) {
          killed = true;
          process.kill(busy.pid, 'SIGKILL');
        }
        return result;
      }),
    );

    const lost = results.filter((result) => result instanceof Error);
    expect(killed).toBe(true);
    expect(lost.length).toBeLessThanOrEqual(1);
    for (const error of lost) expect(error).toBeInstanceOf(SageMakerRuntimeServiceException);
  });

  it('sends a hot model where the routes say', async () => {
    const { inputs } = await readExpected('diabetes');
    const { DynamoDBClient, PutItemCommand, GetItemCommand } = await import('@aws-sdk/client-dynamodb');
    const { awsEndpointUrl, table } = running.endpoint;
    const client = new DynamoDBClient({
      endpoint: awsEndpointUrl,
      region: REGION,
      credentials: { ...CREDENTIALS },
    });
    const { Item = {} } = await client.send(
      new GetItemCommand({ TableName: table, Key: { pk: { S: 'ROUTES' } } }),
    );
    const slot = { M: { functionName: { S: 'lambda-mme-dev-hot-00' }, qualifier: { S: '1' } } };
    const hotModel = diabetesModel(3);
    await client.send(
      new PutItemCommand({
        TableName: table,
        Item: { ...Item, epoch: { N: '2' }, hot: { M: { [hotModel]: slot } } },
      }),
    );
    // Routers that hold the old routes end; those that start read the new ones at their first call.
    for (const { pid, functionName } of running.cloud.lambda.status()) {
      if (functionName.endsWith('-router') && pid !== undefined) process.kill(pid, 'SIGKILL');
    }
    await vi.waitFor(() => expect(functions()).not.toContain('lambda-mme-dev-router'));

    await invoke({ TargetModel: hotModel, Body: JSON.stringify(inputs) });

    expect(functions()).toContain('lambda-mme-dev-hot-00');
    client.destroy();
  });

  it('answers ping without touching a model', async () => {
    const response = await fetch(`${running.endpoint.url}/ping`);

    expect(response.status).toBe(200);
  });

  it('reported no fault of its own', () => {
    expect(running.errors).toEqual([]);
  });
});

const python = process.env['MME_PYTHON'];
describe.skipIf(python === undefined)(
  'the endpoint, called by boto3 (MME_PYTHON names an interpreter that has it)',
  () => {
    const SCRIPT = `
import json, sys, boto3
endpoint = json.loads(sys.argv[1])
keys = dict(region_name=endpoint["region"], aws_access_key_id=endpoint["accessKeyId"],
            aws_secret_access_key=endpoint["secretAccessKey"])
runtime = boto3.client("sagemaker-runtime", endpoint_url=endpoint["url"], **keys)
s3 = boto3.client("s3", endpoint_url=endpoint["awsEndpointUrl"], **keys)
name = endpoint["endpointName"]

def predict(model, body="[[0.1,0.1,0.1,0.1]]"):
    return runtime.invoke_endpoint(EndpointName=name, TargetModel=model, ContentType="application/json", Body=body)["Body"].read().decode()

s3.upload_file(sys.argv[2], endpoint["bucket"], endpoint["prefix"] + "boto/übung.tar.gz")
s3.put_object(Bucket=endpoint["bucket"], Key=endpoint["prefix"] + "boto/stream.tar.gz", Body=open(sys.argv[2], "rb"))
result = {"uploaded": predict("boto/übung.tar.gz"), "streamed": predict("boto/stream.tar.gz")}
try:
    predict("none.tar.gz")
except runtime.exceptions.ValidationError as error:
    result["error"] = [type(error).__name__, error.response["ResponseMetadata"]["HTTPStatusCode"], str(error)]
print(json.dumps(result))
`;

    it('uploads, predicts and raises typed exceptions', async () => {
      const { stdout } = await promisify(execFile)(
        python ?? '',
        ['-c', SCRIPT, JSON.stringify(running.endpoint), artifactPath('iris')],
        { env: { PATH: process.env['PATH'] }, timeout: 15_000 },
      );

      const { uploaded, streamed, error } = JSON.parse(stdout);
      expect(JSON.parse(uploaded)).toHaveProperty('probabilities');
      expect(streamed).toEqual(uploaded);
      expect(error).toEqual(['ValidationError', 400, expect.stringContaining('"none.tar.gz" not found')]);
    });
  },
);
