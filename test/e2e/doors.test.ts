import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { largestRelativeError } from '../fixtures/closeness.ts';
import { readExpected } from '../fixtures/expected.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

let running: RunningCloud;

beforeAll(async () => {
  running = await startTestCloud();
}, 60_000);
afterAll(() => running.close());

const send = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(running.cloud.url + path, {
    ...init,
    headers: { 'x-api-key': running.endpoint.apiKey ?? '', ...(init.headers as Record<string, string>) },
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
};
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  send(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

describe('the Open Inference Protocol, over HTTP', () => {
  it('says that it is alive and ready, and what it is', async () => {
    expect((await send('/v2/health/live')).status).toBe(200);
    expect((await send('/v2/health/ready')).status).toBe(200);
    expect((await send('/v2')).body).toMatchObject({ extensions: ['binary_tensor_data'] });
  });

  it('describes a model and runs it, by its name without the ending', async () => {
    const { inputs, outputs } = await readExpected('diabetes');
    const rows = inputs.slice(0, 3);

    expect((await send('/v2/models/diabetes-0001/ready')).status).toBe(200);
    expect((await send('/v2/models/diabetes-0001')).body).toMatchObject({
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 10] }],
    });
    const { status, body } = await post('/v2/models/diabetes-0001/infer', {
      inputs: [{ name: 'features', shape: [3, 10], datatype: 'FP32', data: rows.flat() }],
    });

    expect(status).toBe(200);
    const [answer] = (body as { outputs: { data: number[] }[] }).outputs;
    const [expected] = Object.values(outputs) as number[][][];
    expect(largestRelativeError(answer?.data ?? [], (expected ?? []).slice(0, 3).flat())).toBeLessThan(1e-5);
  });

  it.each([
    ['/v2/models/none/infer', { inputs: [] }, 404, /not found/],
    ['/v2/models/diabetes-0001/infer', { inputs: [] }, 400, /features/],
    ['/v2/models/..~1x/infer', { inputs: [] }, 400, /\.\./],
  ])('%s with %j is told %d', async (path, body, status, message) => {
    const response = await post(path, body);

    expect(response).toMatchObject({ status, body: { error: expect.stringMatching(message) } });
  });
});

describe('the function URL', () => {
  it('answers an unchanged client as the HTTP API does, and knows the same paths', async () => {
    const { functionUrl = '', endpointName, accessKeyId, secretAccessKey, apiKey = '' } = running.endpoint;
    const client = new SageMakerRuntimeClient({
      endpoint: functionUrl,
      region: running.endpoint.region,
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
    });
    const { inputs } = await readExpected('diabetes');
    const command = new InvokeEndpointCommand({
      EndpointName: endpointName,
      TargetModel: 'diabetes-0001.tar.gz',
      ContentType: 'application/json',
      Body: JSON.stringify({ instances: inputs.slice(0, 2) }),
    });

    const [byUrl, byApi] = await Promise.all([client.send(command), running.runtime.send(command)]);
    expect(byUrl.Body.transformToString()).toBe(byApi.Body.transformToString());
    const headers = { 'x-api-key': apiKey };
    expect((await fetch(`${functionUrl}/v2/models/diabetes-0001`, { headers })).status).toBe(200);
    expect((await fetch(`${functionUrl}/v2/models/diabetes-0001`)).status).toBe(403);
    // Models are managed behind the HTTP API alone.
    expect((await fetch(`${functionUrl}/models`, { headers })).status).toBe(404);
    client.destroy();
  });
});

describe("DJL Serving's predictions", () => {
  it('answer as SageMaker does, and tell errors in their own form', async () => {
    const row = new Array<number>(10).fill(0.01);

    expect(await post('/predictions/diabetes-0002', { instances: [row] })).toMatchObject({
      status: 200,
      body: { predictions: [[expect.any(Number)]] },
    });
    expect(await post('/predictions/none', {})).toMatchObject({
      status: 404,
      body: { code: 404, type: 'ValidationError' },
    });
  });
});

const python = process.env['MME_PYTHON'];
const hasTriton = python !== undefined && spawnSync(python, ['-c', 'import tritonclient.http']).status === 0;

describe.skipIf(!hasTriton)('tritonclient, unchanged (MME_PYTHON names an interpreter that has it)', () => {
  const SCRIPT = `
import json, sys, numpy as np, tritonclient.http as triton
from tritonclient._plugin import InferenceServerClientPlugin
from tritonclient.utils import InferenceServerException
class ApiKey(InferenceServerClientPlugin):
    def __call__(self, request):
        request.headers["x-api-key"] = sys.argv[3]
client = triton.InferenceServerClient(sys.argv[1])
client.register_plugin(ApiKey())
rows = np.array(json.loads(sys.argv[2]), np.float32)
result = {"live": client.is_server_live(), "ready": client.is_model_ready("diabetes-0001")}
output = client.get_model_metadata("diabetes-0001")["outputs"][0]["name"]
def infer(binary, **more):
    given = triton.InferInput("features", list(rows.shape), "FP32")
    given.set_data_from_numpy(rows, binary_data=binary)
    return client.infer("diabetes-0001", [given], **more).as_numpy(output).flatten().tolist()
result["bytes"] = infer(True)
result["json"] = infer(False, outputs=[triton.InferRequestedOutput(output, binary_data=False)])
result["mixed"] = infer(False)
try:
    wrong = triton.InferInput("features", [1, 3], "FP32")
    wrong.set_data_from_numpy(np.zeros((1, 3), np.float32))
    client.infer("diabetes-0001", [wrong])
except InferenceServerException as error:
    result["error"] = [error.status(), error.message()]
print(json.dumps(result))
`;

  it('infers with bytes, with JSON and with both, and raises its own exception', async () => {
    const { inputs, outputs } = await readExpected('diabetes');
    const { stdout } = await promisify(execFile)(
      python ?? '',
      [
        '-c',
        SCRIPT,
        running.cloud.url.replace('http://', ''),
        JSON.stringify(inputs.slice(0, 3)),
        running.endpoint.apiKey ?? '',
      ],
      { env: { PATH: process.env['PATH'] }, timeout: 20_000 },
    );

    const result = JSON.parse(stdout);
    const [expected] = Object.values(outputs) as number[][][];
    expect(result).toMatchObject({ live: true, ready: true });
    for (const form of ['bytes', 'json', 'mixed']) {
      expect(largestRelativeError(result[form], (expected ?? []).slice(0, 3).flat())).toBeLessThan(1e-5);
    }
    expect(result.error[0]).toBe('400');
    expect(result.error[1]).toMatch(/columns|shape|dimension/);
  });
});
