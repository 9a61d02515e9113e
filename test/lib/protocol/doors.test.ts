import { describe, expect, it } from 'vitest';
import { ServingError } from '../../../lib/errors.ts';
import { djlDoor } from '../../../lib/protocol/djl-http.ts';
import { openInferenceDoor } from '../../../lib/protocol/open-inference-http.ts';
import { parsePathName, toPathName } from '../../../lib/protocol/path-name.ts';
import { call, httpRequest } from '../../fakes/builders.ts';

const request = (routeKey: string, model?: string, overrides: Parameters<typeof httpRequest>[0] = {}) =>
  httpRequest({ routeKey, pathParameters: model === undefined ? {} : { model }, headers: {}, ...overrides });

describe('a name in a path', () => {
  it.each([
    ['tenant-7~1churn.tar.gz', 'tenant-7/churn.tar.gz'],
    ['a~0b~1c.onnx', 'a~b/c.onnx'],
    ['diabetes-0001', 'diabetes-0001.tar.gz'],
    ['v1.2', 'v1.2.tar.gz'],
  ])('%s is %s', (path, name) => {
    expect(parsePathName(path)).toBe(name);
    expect(parsePathName(toPathName(name))).toBe(name);
  });

  it.each([
    [undefined, /names no model/],
    ['', /names no model/],
    ['a~2b', /slash of a name is written ~1/],
    ['..~1secret.tar.gz', /\.\./],
    ['a\u0000b', /control characters/],
  ])('%j is refused', (path, message) => {
    expect(() => parsePathName(path)).toThrow(message);
  });
});

describe('the Open Inference Protocol', () => {
  it.each(['GET /v2/health/live', 'GET /v2/health/ready'])('%s needs no model', (routeKey) => {
    expect(openInferenceDoor.parse(request(routeKey))).toMatchObject({
      kind: 'answer',
      response: { statusCode: 200 },
    });
  });

  it('says what the server is', async () => {
    const asked = await openInferenceDoor.parse(request('GET /v2'));
    const body = asked.kind === 'answer' ? (JSON.parse(asked.response.body) as object) : {};

    expect(body).toEqual({ name: 'lambda-mme', version: '2', extensions: ['binary_tensor_data'] });
  });

  it('reads JSON, and bytes where the header says where they begin', () => {
    const routeKey = 'POST /v2/models/{model}/infer';
    expect(openInferenceDoor.parse(request(routeKey, 'm', { body: '{}' }))).toEqual({
      kind: 'call',
      call: {
        model: 'm.tar.gz',
        contentType: 'application/json',
        accept: undefined,
        body: '{}',
        isBase64Encoded: false,
      },
    });

    const headers = { 'inference-header-content-length': '12' };
    expect(openInferenceDoor.parse(request(routeKey, 'm', { headers }))).toMatchObject({
      call: { contentType: 'application/vnd.sagemaker-triton.binary+json;json-header-size=12' },
    });
  });

  it.each(['', '-1', '0x0c', '1e1', '12.0', '+12', '12;json-header-size=1', '"12"', '12,12', '9'.repeat(11)])(
    'refuses the header length %j: digits are meant',
    (length) => {
      const headers = { 'inference-header-content-length': length };

      expect(() =>
        openInferenceDoor.parse(request('POST /v2/models/{model}/infer', 'm', { headers })),
      ).toThrow(/in digits/);
    },
  );

  it("gives bytes back under Triton's header", () => {
    const reply = {
      ok: true,
      contentType: 'application/vnd.sagemaker-triton.binary+json;json-header-size=34',
      body: 'AAAA',
      isBase64Encoded: true,
    } as const;

    expect(openInferenceDoor.encodeReply(reply, { kind: 'call', call: call() }, 'r')).toEqual({
      statusCode: 200,
      headers: {
        'x-amzn-requestid': 'r',
        'content-type': 'application/octet-stream',
        'inference-header-content-length': '34',
      },
      body: 'AAAA',
      isBase64Encoded: true,
    });
  });

  it.each(['GET /v2/models/{model}', 'GET /v2/models/{model}/ready'])('%s opens the model', (routeKey) => {
    const asked = openInferenceDoor.parse(request(routeKey, 'tenant-7~1m'));

    expect(asked).toMatchObject({ call: { model: 'tenant-7/m.tar.gz', operation: 'describe' } });
  });

  it('describes tensors in its own words', () => {
    const description = {
      inputs: [{ name: 'x', type: 'float32', shape: [null, 4] }],
      outputs: [{ name: 'label', type: 'string', shape: [null] }],
      etag: 'e',
      sizeBytes: 1,
      loadMs: 1,
    };
    const reply = { ok: true, contentType: 'application/json', body: JSON.stringify(description) } as const;

    const { body } = openInferenceDoor.encodeReply(
      reply,
      { kind: 'call', call: call({ operation: 'describe' }) },
      'r',
    );

    expect(JSON.parse(body)).toEqual({
      name: 'm.tar.gz',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'label', datatype: 'BYTES', shape: [-1] }],
    });
  });

  it.each([
    [new ServingError('ValidationError', 'model "m" not found: upload it'), 404],
    [new ServingError('ValidationError', 'ragged'), 400],
    [new ServingError('ThrottlingException', 'busy', { retryAfterSeconds: 3 }), 429],
    [new ServingError('ModelError', 'damaged'), 424],
  ])('tells an error as {"error"}: %s', (error, status) => {
    const response = openInferenceDoor.encodeError(error, 'r');

    expect(response.statusCode).toBe(status);
    expect(JSON.parse(response.body)).toEqual({ error: error.message });
  });
});

describe("DJL Serving's predictions", () => {
  it('take a body of any type', () => {
    const headers = { 'content-type': 'text/csv', accept: 'text/csv' };

    expect(djlDoor.parse(request('POST /predictions/{model}', 'm', { headers, body: '1,2' }))).toEqual({
      kind: 'call',
      call: {
        model: 'm.tar.gz',
        contentType: 'text/csv',
        accept: 'text/csv',
        body: '1,2',
        isBase64Encoded: false,
      },
    });
  });

  it.each([
    [new ServingError('ValidationError', 'model "m" not found'), 404],
    [new ServingError('ValidationError', 'ragged'), 400],
    [new ServingError('ThrottlingException', 'busy'), 503],
    [new ServingError('ModelError', 'damaged'), 500],
  ])('tell an error with its code: %s', (error, code) => {
    const response = djlDoor.encodeError(error, 'r');

    expect(response.statusCode).toBe(code);
    expect(JSON.parse(response.body)).toEqual({ code, type: error.code, message: error.message });
  });
});
