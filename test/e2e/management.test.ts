import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROOT } from '../../deploy/inputs.ts';
import { CREDENTIALS, REGION } from '../../local/cloud.ts';
import { writeEndpointFile } from '../../local/endpoint-file.ts';
import { artifactPath } from '../fixtures/expected.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

let running: RunningCloud;
let tenantKey: string;

const createKey = async (...args: readonly string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(ROOT, 'cli', 'main.ts'), 'keys', 'create', ...args, '--json'],
    { env: { ...process.env, LOCAL_DIR: running.directory } },
  );
  return (JSON.parse(stdout) as { readonly apiKey: string }).apiKey;
};

const put = async (model: string, artifact = 'iris'): Promise<void> => {
  const { bucket, prefix } = running.endpoint;
  await running.cloud.s3.store.put(bucket, prefix + model, await readFile(artifactPath(artifact)));
};

beforeAll(async () => {
  running = await startTestCloud({ MODELS: '20', PARAMS: 'refreshSeconds=1' });
  await writeEndpointFile(running.directory, running.endpoint);
  await put('tenant-7/iris.tar.gz');
  tenantKey = await createKey('--models', 'tenant-7/*', '--role', 'manage');
}, 60_000);
afterAll(() => running.close());

const readRow = async (model: string) => {
  const client = new DynamoDBClient({
    endpoint: running.cloud.url,
    region: REGION,
    credentials: CREDENTIALS,
  });
  const Key = { pk: { S: `MODEL#${model}` } };
  const { Item } = await client.send(new GetItemCommand({ TableName: running.endpoint.table, Key }));
  client.destroy();
  return Item;
};

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  readonly body: any;
}

const send = async (
  method: string,
  path: string,
  body?: unknown,
  apiKey = running.endpoint.apiKey,
): Promise<Answer> => {
  const response = await fetch(running.cloud.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
};

const IRIS = '[[5.1,3.5,1.4,0.2]]';
const rows = (answer: Answer): readonly string[] =>
  answer.body.models.map(({ modelName }: { modelName: string }) => modelName);

describe('the management API', () => {
  it('lists models, a page at a time', async () => {
    const first = await send('GET', '/models?prefix=diabetes-&max_results=15');
    expect(first.status).toBe(200);
    expect(rows(first)).toHaveLength(15);
    expect(first.body.models[0]).toEqual({
      modelName: 'diabetes-0001.tar.gz',
      modelUrl: 's3://lambda-mme-dev-models/models/diabetes-0001.tar.gz',
      sizeBytes: expect.any(Number),
      lastModified: expect.stringMatching(/^20/),
      tier: 'cold',
    });
    const token = encodeURIComponent(first.body.nextPageToken);
    const second = await send('GET', `/models?prefix=diabetes-&max_results=15&next_page_token=${token}`);
    expect(rows(second)).toHaveLength(5);
    expect(second.body.nextPageToken).toBeUndefined();
  });

  it('describes a model: its object, place, inputs and outputs', async () => {
    const { status, body } = await send('GET', '/models/tenant-7~1iris');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      modelName: 'tenant-7/iris.tar.gz',
      tier: 'cold',
      workers: { ready: 0, wanted: 0 },
      inputs: [{ name: expect.any(String), type: 'float32', shape: [null, 4] }],
      loadMs: expect.any(Number),
      openBytes: expect.any(Number),
    });
    expect(body.problem).toBeUndefined();
  });

  it('copies a model, sets its bounds, preloads it, runs it, and deletes it', async () => {
    const registered = await send('POST', '/models', {
      model_name: 'copies/iris.tar.gz',
      url: 'tenant-7/iris.tar.gz',
      max_workers: 3,
      preload: true,
    });
    expect(registered).toMatchObject({
      status: 201,
      body: { workers: { max: 3 }, openBytes: expect.any(Number) },
    });

    const again = await send('POST', '/models', {
      model_name: 'copies/iris.tar.gz',
      url: 'tenant-7/iris.tar.gz',
    });
    expect(again).toMatchObject({ status: 409, body: { type: 'ModelExistsException' } });

    const changed = await send('PUT', '/models/copies~1iris', { min_workers: 1, pinned: true });
    expect(changed.body).toMatchObject({ workers: { min: 1, max: 3 }, pinned: true });
    expect((await send('PUT', '/models/copies~1iris', { min_workers: 4 })).body).toMatchObject({
      code: 400,
      message: expect.stringContaining('min_workers should be the smaller'),
    });
    const back = await send('PUT', '/models/copies~1iris', { min_workers: null, pinned: null });
    expect(back.body.workers).toEqual({ ready: 0, wanted: 0, max: 3 });

    expect((await send('POST', '/models/copies~1iris/preload')).status).toBe(200);
    expect((await send('POST', '/models/copies~1iris/invoke', IRIS)).status).toBe(200);
    expect((await send('DELETE', '/models/copies~1iris')).status).toBe(204);
    expect(await send('GET', '/models/copies~1iris')).toMatchObject({
      status: 404,
      body: { code: 404, type: 'ModelNotFoundException', message: expect.stringContaining('not found') },
    });
    expect((await send('DELETE', '/models/copies~1iris')).status).toBe(404);
  });

  it('takes a model that is there already', async () => {
    expect(
      await send('POST', '/models', { model_name: 'diabetes-0002.tar.gz', max_workers: 2 }),
    ).toMatchObject({
      status: 201,
      body: { workers: { max: 2 } },
    });
    expect(await send('POST', '/models', { model_name: 'none.tar.gz' })).toMatchObject({ status: 404 });
  });

  it('says why a new object has not taken over', async () => {
    await put('replaced.tar.gz');
    expect((await send('POST', '/models/replaced/invoke', IRIS)).status).toBe(200);
    const { bucket, prefix } = running.endpoint;
    await running.cloud.s3.store.put(bucket, `${prefix}replaced.tar.gz`, Buffer.from('no archive'));

    const described = await send('GET', '/models/replaced');
    expect(described.body.problem).toMatch(/^an older object \(ETag .*\) is served: .+/);
    expect((await send('POST', '/models/replaced/invoke', IRIS)).status).toBe(200);

    await put('replaced.tar.gz', 'iris');
    await vi.waitFor(async () => {
      expect((await send('GET', '/models/replaced')).body.problem).toBeUndefined();
    }, 15_000);
  });

  it('forgets the wishes of a model that is deleted in S3, until it is there again', async () => {
    const { bucket, prefix } = running.endpoint;
    await put('wanted.tar.gz');
    await send('PUT', '/models/wanted', { pinned: true });
    await running.cloud.s3.store.delete(bucket, `${prefix}wanted.tar.gz`);
    const rowOf = async () => (await readRow('wanted.tar.gz'))?.['gone']?.BOOL;
    await vi.waitFor(async () => expect(await rowOf()).toBe(true), 15_000);

    await put('wanted.tar.gz');
    await vi.waitFor(async () => expect(await rowOf()).toBeUndefined(), 15_000);
    expect((await send('GET', '/models/wanted?open=false')).body.pinned).toBe(true);
  });

  it('rolls back to the version before, one further each time, and out of a deletion', async () => {
    const { bucket, prefix } = running.endpoint;
    await put('rolled.tar.gz', 'iris');
    await put('rolled.tar.gz', 'diabetes');
    await running.cloud.s3.store.put(bucket, `${prefix}rolled.tar.gz`, Buffer.from('no archive'));
    const sizes = { iris: (await readFile(artifactPath('iris'))).length };

    const once = await send('POST', '/models/rolled/rollback');
    expect(once).toMatchObject({ status: 200, body: { restoredFrom: expect.any(String) } });
    expect((await send('GET', '/models/rolled')).body.inputs[0].shape).toEqual([null, 10]);
    const twice = await send('POST', '/models/rolled/rollback');
    expect(twice.body.sizeBytes).toBe(sizes.iris);
    expect(await send('POST', '/models/rolled/rollback')).toMatchObject({
      status: 409,
      body: { type: 'NoPreviousVersionException' },
    });

    expect((await send('DELETE', '/models/rolled')).status).toBe(204);
    expect((await send('POST', '/models/rolled/rollback')).body.sizeBytes).toBe(sizes.iris);
    await vi.waitFor(async () => {
      expect((await send('POST', '/models/rolled/invoke', IRIS)).status).toBe(200);
    }, 15_000);
    expect((await send('POST', '/models/never-there/rollback')).status).toBe(409);
  });

  it('says why a model cannot be served at all', async () => {
    const { bucket, prefix } = running.endpoint;
    await running.cloud.s3.store.put(bucket, `${prefix}broken.tar.gz`, Buffer.from('no archive'));
    expect((await send('GET', '/models/broken')).body.problem).toMatch(/^ModelError: /);
    expect((await send('GET', '/models/broken?open=false')).body.problem).toBeUndefined();
  });

  it.each([
    [
      'a number of workers that is none',
      'PUT',
      '/models/diabetes-0001',
      { min_workers: 'two' },
      /^min_workers: /,
    ],
    ['a member that there is not', 'PUT', '/models/diabetes-0001', { minWorkers: 1 }, /minWorkers/],
    ['a body that is no JSON', 'POST', '/models', '{', /the body is not JSON/],
    ['a body that is missing', 'POST', '/models', undefined, /the request: /],
    ['a name that climbs', 'POST', '/models', { model_name: '../x.tar.gz' }, /"\.\."/],
    [
      "somebody else's bucket",
      'POST',
      '/models',
      { model_name: 'x.tar.gz', url: 's3://other/x.tar.gz' },
      /url should be a model's name or below s3:\/\/lambda-mme-dev-models\/models\//,
    ],
    [
      'a source that climbs',
      'POST',
      '/models',
      { model_name: 'x.tar.gz', url: 's3://lambda-mme-dev-models/models/../secret' },
      /url should be/,
    ],
    ['a page that is none', 'GET', '/models?max_results=0', undefined, /^max_results: /],
    ['a token that is none', 'GET', '/models?next_page_token=%00', undefined, /next_page_token/],
  ])('refuses %s', async (_, method, path, body, message) => {
    expect(await send(method, path, body)).toMatchObject({
      status: 400,
      body: { code: 400, message: expect.stringMatching(message) },
    });
  });

  it('keeps keys to their models and roles', async () => {
    expect(rows(await send('GET', '/models', undefined, tenantKey))).toEqual(['tenant-7/iris.tar.gz']);
    expect((await send('GET', '/models/tenant-7~1iris', undefined, tenantKey)).status).toBe(200);
    const denied = { status: 403, body: { type: 'AccessDeniedException' } };
    expect(await send('GET', '/models/diabetes-0001', undefined, tenantKey)).toMatchObject(denied);
    const copy = { model_name: 'tenant-7/stolen.tar.gz', url: 'diabetes-0001.tar.gz' };
    expect(await send('POST', '/models', copy, tenantKey)).toMatchObject(denied);
    const inUrl = { ...copy, url: 's3://lambda-mme-dev-models/models/diabetes-0001.tar.gz' };
    expect(await send('POST', '/models', inUrl, tenantKey)).toMatchObject(denied);
    const own = { ...copy, url: 'tenant-7/iris.tar.gz' };
    expect((await send('POST', '/models', own, tenantKey)).status).toBe(201);
    const invokeKey = await createKey('--models', '*');
    expect(await send('GET', '/models', undefined, invokeKey)).toMatchObject(denied);
    expect(await send('GET', '/models', undefined, '')).toMatchObject({ status: 403 });
  });

  it('describes itself in OpenAPI 3.1, to anybody', async () => {
    const response = await fetch(`${running.cloud.url}/openapi.json`);
    const { openapi, paths } = (await response.json()) as { openapi: string; paths: object };
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths)).toContain('/models/{model}/rollback');
  });
});

const python = process.env['MME_PYTHON'];

describe.skipIf(python === undefined)("SageMaker's control plane, through boto3 (MME_PYTHON)", () => {
  const SCRIPT = `
import boto3, json, sys
from botocore.exceptions import ClientError
endpoint = json.load(open(sys.argv[1]))
keys = dict(region_name=endpoint["region"], endpoint_url=endpoint["url"],
    aws_access_key_id=endpoint["accessKeyId"], aws_secret_access_key=endpoint["secretAccessKey"])
sagemaker, runtime = boto3.client("sagemaker", **keys), boto3.client("sagemaker-runtime", **keys)
url = f"s3://{endpoint['bucket']}/{endpoint['prefix']}tenant-7/"
result = {}
result["model"] = sagemaker.create_model(ModelName="tenants", ExecutionRoleArn="arn:aws:iam::123456789012:role/any",
    PrimaryContainer={"Image": "any/image", "Mode": "MultiModel", "ModelDataUrl": url})["ModelArn"]
sagemaker.create_endpoint_config(EndpointConfigName="tenants-1", ProductionVariants=[{"VariantName": "blue",
    "ModelName": "tenants", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}])
sagemaker.create_endpoint(EndpointName="tenants", EndpointConfigName="tenants-1")
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="tenants", WaiterConfig={"Delay": 1, "MaxAttempts": 5})
answer = runtime.invoke_endpoint(EndpointName="tenants", TargetModel="iris.tar.gz", ContentType="application/json", Body="[[5.1,3.5,1.4,0.2]]")
result["answer"], result["variant"] = json.load(answer["Body"]), answer["InvokedProductionVariant"]
result["described"] = sagemaker.describe_model(ModelName="tenants")["PrimaryContainer"]
result["status"] = sagemaker.describe_endpoint(EndpointName="tenants")["EndpointStatus"]
result["config"] = sagemaker.describe_endpoint_config(EndpointConfigName="tenants-1")["ProductionVariants"][0]["InstanceType"]
result["endpoints"] = sorted(each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"])
result["models"] = [each["ModelName"] for page in sagemaker.get_paginator("list_models").paginate(MaxResults=1) for each in page["Models"]]
def refused(call, **kwargs):
    try:
        call(**kwargs)
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["Error"]["Message"]]
result["twice"] = refused(sagemaker.create_endpoint, EndpointName="tenants", EndpointConfigName="tenants-1")
result["elsewhere"] = refused(sagemaker.create_model, ModelName="other", ExecutionRoleArn="arn:aws:iam::123456789012:role/any",
    PrimaryContainer={"Image": "any", "Mode": "MultiModel", "ModelDataUrl": "s3://another-bucket/models/"})
result["single"] = refused(sagemaker.create_model, ModelName="other", ExecutionRoleArn="arn:aws:iam::123456789012:role/any",
    PrimaryContainer={"Image": "any", "ModelDataUrl": url})
result["unserved"] = refused(sagemaker.list_training_jobs)
sagemaker.delete_endpoint(EndpointName="tenants")
sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="tenants", WaiterConfig={"Delay": 1, "MaxAttempts": 5})
sagemaker.delete_endpoint_config(EndpointConfigName="tenants-1")
sagemaker.delete_model(ModelName="tenants")
result["gone"] = refused(sagemaker.describe_model, ModelName="tenants")
print(json.dumps(result))
`;

  it('makes an endpoint of a prefix, calls it, and takes it down', async () => {
    const { stdout } = await promisify(execFile)(
      python ?? '',
      ['-c', SCRIPT, join(running.directory, 'endpoint.json')],
      { env: { PATH: process.env['PATH'] }, timeout: 40_000 },
    );
    expect(JSON.parse(stdout)).toMatchObject({
      model: expect.stringMatching(/^arn:aws:sagemaker:us-east-1:\d{12}:model\/tenants$/),
      answer: { label: [0] },
      variant: 'blue',
      described: { Image: 'any/image', Mode: 'MultiModel' },
      status: 'InService',
      config: 'ml.m5.large',
      endpoints: ['lambda-mme-dev', 'tenants'],
      models: ['tenants'],
      twice: ['ValidationException', expect.stringContaining('Cannot create already existing endpoint')],
      elsewhere: ['ValidationException', expect.stringContaining('aws s3 sync')],
      single: ['ValidationException', expect.stringContaining('Mode should be MultiModel')],
      unserved: ['UnknownOperationException', expect.stringContaining('CreateEndpoint')],
      gone: ['ValidationException', expect.stringContaining('Could not find model')],
    });
  });
});
