import { describe, expect, it } from 'vitest';
import type { Endpoints } from '../../../lib/endpoints/endpoint.ts';
import { ServingError, toServingError } from '../../../lib/errors.ts';
import type { HttpRequest } from '../../../lib/protocol/http.ts';
import { encodeError, encodeReply, parseInvocation } from '../../../lib/protocol/sagemaker-http.ts';
import { call, httpRequest, oneEndpoint } from '../../fakes/builders.ts';

const parse = async (request: HttpRequest) => (await parseInvocation(request, oneEndpoint('mme'))).call;

describe('parseInvocation', () => {
  it('reads what InvokeEndpoint sends', async () => {
    const request = httpRequest({
      headers: {
        'content-type': 'text/csv',
        accept: 'application/json',
        'x-amzn-sagemaker-target-model': 'tenant-7/churn.tar.gz',
      },
      body: 'MSwy',
      isBase64Encoded: true,
    });

    expect(await parse(request)).toEqual({
      model: 'tenant-7/churn.tar.gz',
      contentType: 'text/csv',
      accept: 'application/json',
      body: 'MSwy',
      isBase64Encoded: true,
    });
  });

  it('takes CustomAttributes and InferenceId along, and the one variant there is', async () => {
    const headers = {
      'x-amzn-sagemaker-target-model': 'm.tar.gz',
      'x-amzn-sagemaker-custom-attributes': 'trace=7; tier=gold',
      'x-amzn-sagemaker-inference-id': 'call-1',
      'x-amzn-sagemaker-target-variant': 'AllTraffic',
    };

    expect(await parse(httpRequest({ headers }))).toMatchObject({
      customAttributes: 'trace=7; tier=gold',
      inferenceId: 'call-1',
    });
  });

  it.each([
    ['target-variant', 'Blue', /TargetVariant "Blue" not found: .* AllTraffic/],
    ['target-container-hostname', 'first', /TargetContainerHostname is for endpoints of several containers/],
    ['inference-component', 'c', /InferenceComponentName .* name the model by TargetModel/],
    ['enable-explanations', '`true`', /EnableExplanations is not served/],
    ['session-id', 'NEW_SESSION', /SessionId is not served/],
    ['custom-attributes', 'x'.repeat(1025), /1 to 1024 visible characters of ASCII, but has 1025/],
    ['custom-attributes', 'snow\u2603', /visible characters of ASCII/],
    ['inference-id', 'x'.repeat(65), /1 to 64 visible/],
  ])('refuses header %s: %j', async (name, value, message) => {
    const headers = { 'x-amzn-sagemaker-target-model': 'm.tar.gz', [`x-amzn-sagemaker-${name}`]: value };

    await expect(parse(httpRequest({ headers }))).rejects.toThrow(message);
  });

  it('passes a missing body on as an empty one, for the codec to judge', async () => {
    const { body: _, ...request } = httpRequest();

    expect((await parse(request)).body).toBe('');
  });

  it.each([
    [
      'another endpoint',
      httpRequest({ pathParameters: { EndpointName: 'other' } }),
      /"other" not found.*"mme"/,
    ],
    ['no endpoint', httpRequest({ pathParameters: {} }), /"" not found/],
    ['no TargetModel', httpRequest({ headers: {} }), /TargetModel is missing.*X-Amzn-SageMaker-Target-Model/],
    [
      'a name that climbs',
      httpRequest({ headers: { 'x-amzn-sagemaker-target-model': '../m.tar.gz' } }),
      /\.\./,
    ],
  ])('refuses %s', async (_, request, message) => {
    await expect(parse(request)).rejects.toThrow(message);
    await expect(parse(request)).rejects.toThrow(
      expect.objectContaining({ code: 'ValidationError', status: 400 }),
    );
  });

  it('quotes at most a little of what came', async () => {
    const request = httpRequest({ pathParameters: { EndpointName: 'x'.repeat(5000) } });

    await expect(parse(request)).rejects.toThrow(/^Endpoint "x{80}\.\.\."/);
  });
});

const asked = { kind: 'call', call: call(), variant: 'AllTraffic' } as const;

describe('an endpoint that was made', () => {
  const endpoints: Endpoints = {
    own: 'mme',
    find: async () => ({ name: 'team', prefix: 'team-a/', variant: 'blue' }),
  };
  const ask = (headers: Record<string, string>) =>
    parseInvocation(httpRequest({ pathParameters: { EndpointName: 'team' }, headers }), endpoints);

  it('has the models below its prefix, and the variant of its configuration', async () => {
    expect(
      await ask({
        'x-amzn-sagemaker-target-model': 'm.tar.gz',
        'x-amzn-sagemaker-target-variant': 'blue',
      }),
    ).toMatchObject({ call: { model: 'team-a/m.tar.gz' }, variant: 'blue' });
  });

  it.each(['/m.tar.gz', '../team-b/m.tar.gz'])('has no way out: %s', async (name) => {
    await expect(ask({ 'x-amzn-sagemaker-target-model': name })).rejects.toThrow(/slash|\.\./);
  });
});

describe('encodeReply', () => {
  it('sends back what model.mjs said beside its answer', () => {
    const reply = { ok: true, contentType: 'text/csv', body: '1', customAttributes: 'seen=1' } as const;

    expect(encodeReply(reply, asked, 'r').headers).toMatchObject({
      'x-amzn-sagemaker-custom-attributes': 'seen=1',
      'x-amzn-invoked-production-variant': 'AllTraffic',
    });
  });

  it('answers with the headers of SageMaker Runtime', () => {
    expect(
      encodeReply({ ok: true, contentType: 'application/json', body: '[[1]]' }, asked, 'request-1'),
    ).toEqual({
      statusCode: 200,
      headers: {
        'content-type': 'application/json',
        'x-amzn-invoked-production-variant': 'AllTraffic',
        'x-amzn-requestid': 'request-1',
      },
      body: '[[1]]',
    });
  });
});

describe('encodeError', () => {
  it('names the exception in the header, as the SDKs read it', () => {
    const { statusCode, headers, body } = encodeError(
      new ServingError('ModelError', 'bad model'),
      'request-1',
    );

    expect(statusCode).toBe(424);
    expect(headers).toMatchObject({ 'x-amzn-errortype': 'ModelError', 'x-amzn-requestid': 'request-1' });
    expect(JSON.parse(body)).toEqual({
      Message: 'bad model',
      OriginalStatusCode: 500,
      OriginalMessage: 'bad model',
      LogStreamArn: '',
    });
  });

  it('says when to come back, where that is known', () => {
    const error = new ServingError('ThrottlingException', 'busy', { retryAfterSeconds: 3 });

    expect(encodeError(error, 'request-1').headers['retry-after']).toBe('3');
  });

  it('keeps to the 2,048 characters of SageMaker messages', () => {
    const { body } = encodeError(new ServingError('ModelError', 'x'.repeat(5000)), 'request-1');

    expect((JSON.parse(body) as { Message: string }).Message).toHaveLength(2048);
  });

  it('does not tell callers what went wrong inside', () => {
    const { statusCode, body } = encodeError(toServingError(new Error('secret path /var/x')), 'request-1');

    expect(statusCode).toBe(500);
    expect(body).not.toContain('secret');
  });
});
