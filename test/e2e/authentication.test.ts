import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ROOT } from '../../deploy/inputs.ts';
import { REGION } from '../../local/cloud.ts';
import { writeEndpointFile } from '../../local/endpoint-file.ts';
import { artifactPath } from '../fixtures/expected.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly apiKey: string;
}

const BODY = '[[5.1,3.5,1.4,0.2]]';
let running: RunningCloud;
let tenant: Key;

const mme = async (...args: readonly string[]): Promise<string> => {
  const env = { ...process.env, LOCAL_DIR: running.directory };
  const { stdout } = await promisify(execFile)(process.execPath, [join(ROOT, 'cli', 'main.ts'), ...args], {
    env,
  });
  return stdout;
};

beforeAll(async () => {
  running = await startTestCloud({ PARAMS: 'authentication=keys' });
  await writeEndpointFile(running.directory, running.endpoint);
  for (const name of ['tenant-7/iris.tar.gz', 'tenant-8/iris.tar.gz'])
    await mme('push', artifactPath('iris'), name, '--no-check');
  tenant = JSON.parse(
    await mme('keys', 'create', '--models', 'tenant-7/*', '--note', 'seven', '--json'),
  ) as Key;
}, 60_000);
afterAll(() => running.close());

/** What an unchanged program does with a key pair. */
const invoke = async (
  key: Pick<Key, 'accessKeyId' | 'secretAccessKey'>,
  TargetModel: string,
): Promise<string> => {
  const { accessKeyId, secretAccessKey } = key;
  const client = new SageMakerRuntimeClient({
    endpoint: running.cloud.url,
    region: REGION,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
  const command = new InvokeEndpointCommand({
    EndpointName: running.endpoint.endpointName,
    TargetModel,
    ContentType: 'application/json',
    Body: BODY,
  });
  const { Body } = await client.send(command).finally(() => client.destroy());
  return Buffer.from(Body ?? []).toString();
};

const curl = (model: string, headers: Record<string, string>, path?: string): Promise<Response> =>
  fetch(running.cloud.url + (path ?? `/endpoints/${running.endpoint.endpointName}/invocations`), {
    method: path === undefined ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', 'x-amzn-sagemaker-target-model': model, ...headers },
    ...(path === undefined ? { body: BODY } : {}),
  });

describe('an endpoint whose callers need a key', () => {
  it('takes the signature of an unchanged SDK, for the models of its key', async () => {
    expect(await invoke(tenant, 'tenant-7/iris.tar.gz')).toMatch(/probabilities/);
    expect(await invoke(running.endpoint, 'tenant-8/iris.tar.gz')).toMatch(/probabilities/);

    await expect(invoke(tenant, 'tenant-8/iris.tar.gz')).rejects.toMatchObject({
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 403 },
    });
  });

  it('takes an API key, too', async () => {
    const headers = { 'x-api-key': tenant.apiKey };

    expect((await curl('tenant-7/iris.tar.gz', headers)).status).toBe(200);
    expect((await curl('tenant-8/iris.tar.gz', headers)).status).toBe(403);
    expect((await curl('', headers, '/v2/models/tenant-7~1iris')).status).toBe(200);
    expect((await curl('', headers, '/v2/models/tenant-8~1iris')).status).toBe(403);
  });

  it.each([
    ['no key', {}, 'MissingAuthenticationTokenException'],
    ['a key that is none', { 'x-api-key': 'guess' }, 'UnrecognizedClientException'],
    ['another scheme', { authorization: 'Bearer guess' }, 'InvalidSignatureException'],
  ])('refuses %s, whatever is asked', async (_, headers, name) => {
    for (const model of ['tenant-7/iris.tar.gz', 'none.tar.gz', '../x']) {
      const response = await curl(model, headers);
      expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([403, name]);
    }
  });

  it('refuses a wrong secret, and a pair that it never issued', async () => {
    const wrong = { ...tenant, secretAccessKey: `${tenant.secretAccessKey.slice(0, -1)}_` };

    await expect(invoke(wrong, 'tenant-7/iris.tar.gz')).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
    await expect(
      invoke({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' }, 'tenant-7/iris.tar.gz'),
    ).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  });

  it('says that it is alive to everybody', async () => {
    for (const path of ['/ping', '/v2/health/live', '/v2'])
      expect((await curl('', {}, path)).status).toBe(200);
  });

  it('lists keys without their secrets, and refuses one within seconds of its end', async () => {
    const ended = JSON.parse(await mme('keys', 'create', '--json')) as Key;
    expect(await invoke(ended, 'tenant-7/iris.tar.gz')).toMatch(/probabilities/);

    await mme('keys', 'revoke', ended.accessKeyId);

    const listed = await mme('keys', 'ls');
    expect(listed).toMatch(new RegExp(`${tenant.accessKeyId} +invoke +tenant-7/\\* .* valid +seven`));
    expect(listed).toMatch(new RegExp(`${ended.accessKeyId} .* revoked 20`));
    for (const secret of [ended.secretAccessKey, ended.apiKey, tenant.apiKey])
      expect(listed).not.toContain(secret);
    await vi.waitFor(
      () =>
        expect(invoke(ended, 'tenant-7/iris.tar.gz')).rejects.toMatchObject({
          name: 'UnrecognizedClientException',
        }),
      { timeout: 10_000, interval: 500 },
    );
    expect((await curl('tenant-7/iris.tar.gz', { 'x-api-key': ended.apiKey })).status).toBe(403);
  }, 30_000);

  it('is called by mme with the key of whoever started it', async () => {
    expect(await mme('invoke', 'tenant-8/iris.tar.gz', BODY)).toMatch(/probabilities/);
    expect(await mme('describe', 'tenant-8/iris.tar.gz')).toMatch(/inputs +\w+ float32/);
  });
});

const python = process.env['MME_PYTHON'];
describe.skipIf(python === undefined)(
  'boto3, unchanged (MME_PYTHON names an interpreter that has it)',
  () => {
    const SCRIPT = `
import json, sys, boto3
from botocore.exceptions import ClientError
url, name, key = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
runtime = boto3.client("sagemaker-runtime", endpoint_url=url, region_name="us-east-1",
    aws_access_key_id=key["accessKeyId"], aws_secret_access_key=key["secretAccessKey"])
def call(model):
    return runtime.invoke_endpoint(EndpointName=name, TargetModel=model, ContentType="application/json",
        CustomAttributes="a=b  c", Body="[[5.1,3.5,1.4,0.2]]")["Body"].read().decode()
result = {"own": call("tenant-7/iris.tar.gz")}
try:
    call("tenant-8/iris.tar.gz")
except ClientError as error:
    result["other"] = error.response["Error"]["Code"]
print(json.dumps(result))
`;

    it('signs what is taken', async () => {
      const args = ['-c', SCRIPT, running.cloud.url, running.endpoint.endpointName, JSON.stringify(tenant)];
      const { stdout } = await promisify(execFile)(python ?? '', args, {
        env: { PATH: process.env['PATH'] },
        timeout: 15_000,
      });

      expect(JSON.parse(stdout)).toEqual({
        own: expect.stringContaining('probabilities'),
        other: 'AccessDeniedException',
      });
    });
  },
);
