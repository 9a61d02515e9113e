import { createHash, randomBytes } from 'node:crypto';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import aws4 from 'aws4';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAuthenticate } from '../../../lib/auth/authenticate.ts';
import { authorizeInvoke } from '../../../lib/auth/authorize.ts';
import type { KeyRecord } from '../../../lib/auth/key.ts';
import { matchesPattern } from '../../../lib/auth/model-patterns.ts';
import { issueKey } from '../../../lib/auth/secrets.ts';
import { checkSignature, parseSignature } from '../../../lib/auth/signature.ts';
import { cachedLookup } from '../../../lib/cache/cached-lookup.ts';
import type { HttpRequest } from '../../../lib/protocol/http.ts';

const masterKey = createHash('sha256').update('master').digest();
const issued = issueKey(masterKey, randomBytes);
const record: KeyRecord = {
  id: issued.id,
  models: ['tenant-7/*'],
  role: 'invoke',
  apiKeyHash: issued.apiKeyHash,
  createdAtMs: 0,
};
const PATH = '/endpoints/mme/invocations';

let nowMs: number;
let rows: Map<string, KeyRecord>;

const authenticate = (request: HttpRequest) =>
  createAuthenticate({
    keys: { find: async (id) => rows.get(id) },
    masterKey: async () => masterKey,
    services: ['sagemaker'],
    now: () => nowMs,
  })(request);

beforeEach(() => {
  nowMs = Date.now();
  rows = new Map([[record.id, record]]);
});

interface Signing {
  readonly secret?: string;
  readonly service?: string;
  readonly path?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** As the npm package aws4 signs. */
const sign = ({
  secret = issued.secretAccessKey,
  service = 'sagemaker',
  path = PATH,
  body = '[[1]]',
  headers = {},
}: Signing = {}): HttpRequest => {
  const signed = aws4.sign(
    {
      service,
      region: 'us-east-1',
      method: 'POST',
      host: '127.0.0.1:3000',
      path,
      headers: {
        'Content-Type': 'application/json',
        'X-Amzn-SageMaker-Target-Model': 'tenant-7/m.tar.gz',
        ...headers,
      },
      body,
    },
    { accessKeyId: issued.id, secretAccessKey: secret },
  );
  return toRequest(signed.headers as Record<string, string>, path, body);
};

const toRequest = (headers: Readonly<Record<string, string>>, path: string, body: string): HttpRequest => {
  const [rawPath = '/', rawQueryString = ''] = path.split('?');
  return {
    routeKey: 'POST /endpoints/{EndpointName}/invocations',
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
    ),
    rawPath,
    rawQueryString,
    body,
    isBase64Encoded: false,
    requestContext: { requestId: 'r', http: { method: 'POST' } },
  };
};

describe('a signature', () => {
  it('of the AWS SDK for JavaScript is taken', async () => {
    let captured: HttpRequest | undefined;
    const client = new SageMakerRuntimeClient({
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:3000',
      credentials: { accessKeyId: issued.id, secretAccessKey: issued.secretAccessKey },
      maxAttempts: 1,
      requestHandler: {
        handle: async (request: { headers: Record<string, string>; path: string; body: Uint8Array }) => {
          captured = toRequest(request.headers, request.path, Buffer.from(request.body).toString());
          throw new Error('captured');
        },
      },
    });
    const command = new InvokeEndpointCommand({
      EndpointName: 'mme',
      TargetModel: 'tenant-7/m.tar.gz',
      CustomAttributes: 'a  b',
      ContentType: 'text/csv',
      Body: '1,2',
    });
    await client.send(command).catch(() => undefined);
    if (captured === undefined) throw new Error('nothing was captured');

    expect(await authenticate(captured)).toEqual({ id: issued.id, role: 'invoke', models: ['tenant-7/*'] });
  });

  it.each([
    ['a query', { path: `${PATH}?b=2&a=1&a=%20x&c` }],
    ['a path with escapes', { path: '/v2/models/tenant%207~1%C3%BC/infer' }],
    ['an empty body', { body: '' }],
    ['more headers', { headers: { 'X-Amzn-SageMaker-Custom-Attributes': ' a   b ', Accept: '*/*' } }],
  ])('over %s is taken', async (_, signing) => {
    expect(await authenticate(sign(signing))).toMatchObject({ id: issued.id });
  });

  it('is taken where the front door gives the path without escapes, as an HTTP API does', async () => {
    const request = sign({ path: '/v2/models/tenant%207/infer' });

    expect(await authenticate({ ...request, rawPath: '/v2/models/tenant 7/infer' })).toMatchObject({
      id: issued.id,
    });
  });

  it('is that of the published example', () => {
    const headers = {
      host: 'example.amazonaws.com',
      'x-amz-date': '20150830T123600Z',
    };
    const request = {
      ...toRequest(headers, '/', ''),
      requestContext: { requestId: 'r', http: { method: 'GET' } },
    };
    const signature = parseSignature(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    );
    const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
    const options = { secret, nowMs: Date.UTC(2015, 7, 30, 12, 36), services: ['service'] };

    expect(() => checkSignature(request, signature, options)).not.toThrow();
  });

  it('may come twice within its window, and not outside', async () => {
    const request = sign();
    await authenticate(request);
    await authenticate(request);

    for (const apart of [-301_000, 301_000]) {
      nowMs = Date.now() + apart;
      await expect(authenticate(request)).rejects.toThrow(/at most 5 minutes apart/);
    }
  });

  /** So many seconds past a minute that has just been. */
  const secondsPast = (seconds: number): string =>
    `${new Date(Date.now() - 60_000).toISOString().replaceAll(/[-:]/g, '').slice(0, 13)}${seconds}Z`;

  const change = (request: HttpRequest, headers: Record<string, string | undefined>): HttpRequest => ({
    ...request,
    headers: { ...request.headers, ...headers },
  });

  it.each<[string, (request: HttpRequest) => HttpRequest, RegExp]>([
    ['another body', (request) => ({ ...request, body: '[[2]]' }), /does not match/],
    [
      'another path',
      (request) => ({ ...request, rawPath: '/endpoints/other/invocations' }),
      /does not match/,
    ],
    ['a query more', (request) => ({ ...request, rawQueryString: 'a=1' }), /does not match/],
    [
      'another method',
      (request) => ({ ...request, requestContext: { requestId: 'r', http: { method: 'GET' } } }),
      /does not match/,
    ],
    [
      'another model',
      (request) => change(request, { 'x-amzn-sagemaker-target-model': 'tenant-8/m.tar.gz' }),
      /does not match/,
    ],
    [
      'a header more',
      (request) => change(request, { 'x-amzn-sagemaker-target-variant': 'x' }),
      /x-amzn-sagemaker-target-variant is not signed/,
    ],
    [
      'a header less',
      (request) => change(request, { 'x-amzn-sagemaker-target-model': undefined }),
      /is signed and not there/,
    ],
    ['no date', (request) => change(request, { 'x-amz-date': undefined }), /x-amz-date should be like/],
    [
      'a date that is none',
      (request) => change(request, { 'x-amz-date': 'yesterday' }),
      /x-amz-date should be like/,
    ],
    [
      'a second that no clock has',
      (request) => change(request, { 'x-amz-date': secondsPast(90) }),
      /x-amz-date should be like/,
    ],
    ...['constructor', '__proto__'].map((name): [string, (request: HttpRequest) => HttpRequest, RegExp] => [
      `${name}, which every object has,`,
      (request) =>
        change(request, {
          authorization: request.headers['authorization']?.replace(
            'SignedHeaders=',
            `SignedHeaders=${name};`,
          ),
        }),
      new RegExp(`header ${name} is signed and not there`),
    ]),
    [
      'a hash of another body',
      (request) => change(request, { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }),
      /is not signed|not the hash/,
    ],
    [
      'no scheme',
      (request) => change(request, { authorization: 'Bearer x' }),
      /should be like AWS4-HMAC-SHA256/,
    ],
    [
      'a header of 100 KB',
      (request) => change(request, { authorization: 'A'.repeat(100_000) }),
      /should be like/,
    ],
    [
      'a short signature',
      (request) => change(request, { authorization: request.headers['authorization']?.slice(0, -2) }),
      /should be like/,
    ],
  ])('over %s is refused', async (_, tamper, message) => {
    const refused = authenticate(tamper(sign()));

    await expect(refused).rejects.toMatchObject({ code: 'InvalidSignatureException', status: 403 });
    await expect(refused).rejects.toThrow(message);
  });

  it.each([
    ['another secret', { secret: 'x'.repeat(40) }, /does not match/],
    ['another service', { service: 's3' }, /for service s3/],
  ])('with %s is refused', async (_, signing, message) => {
    await expect(authenticate(sign(signing))).rejects.toThrow(message);
  });

  it('never tells what would have been right', async () => {
    const wrong = sign({ secret: 'x'.repeat(40) });
    const right = /Signature=(\w+)/.exec(sign().headers['authorization'] ?? '')?.[1] ?? '-';

    const error = await authenticate(wrong).catch((cause: unknown) => cause);

    expect(String(error)).not.toContain(right);
    expect(String(error)).not.toContain(issued.secretAccessKey);
  });

  it('holds no request that was changed anywhere in what is signed', async () => {
    const request = sign();
    const signed = ['content-type', 'host', 'x-amz-date', 'x-amzn-sagemaker-target-model'];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('body', 'path', ...signed),
        fc.nat(),
        fc.integer({ min: 33, max: 126 }),
        async (where, at, code) => {
          const mutate = (text: string): string => {
            const index = at % text.length;
            return text.slice(0, index) + String.fromCharCode(code) + text.slice(index + 1);
          };
          const before =
            where === 'body' ? request.body : where === 'path' ? request.rawPath : request.headers[where];
          const after = mutate(before ?? '');
          fc.pre(after !== before);
          const changed =
            where === 'body'
              ? { ...request, body: after }
              : where === 'path'
                ? { ...request, rawPath: after }
                : change(request, { [where]: after });
          await expect(authenticate(changed)).rejects.toMatchObject({ status: 403 });
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('an API key', () => {
  const withKey = (apiKey: string): HttpRequest => toRequest({ 'x-api-key': apiKey }, PATH, '[[1]]');

  it('is taken as it was issued', async () => {
    expect(await authenticate(withKey(issued.apiKey))).toMatchObject({ id: issued.id });
  });

  it.each([
    ['of another', issueKey(masterKey, randomBytes).apiKey],
    ['with another end', `${issued.apiKey.slice(0, -1)}${issued.apiKey.endsWith('A') ? 'B' : 'A'}`],
    ['that is none', 'secret'],
    ['that is empty', ''],
    ['of a megabyte', 'x'.repeat(1_000_000)],
  ])('%s is refused in the same words', async (_, apiKey) => {
    await expect(authenticate(withKey(apiKey))).rejects.toMatchObject({
      code: 'UnrecognizedClientException',
      message: 'the key is not known here, or no longer: ask whoever issued it',
    });
  });

  it('that is revoked is refused in these words too, signed or not', async () => {
    rows.set(record.id, { ...record, revokedAtMs: 1 });

    for (const request of [withKey(issued.apiKey), sign()]) {
      await expect(authenticate(request)).rejects.toMatchObject({ code: 'UnrecognizedClientException' });
    }
  });

  it('or a signature has to be there', async () => {
    await expect(authenticate(toRequest({}, PATH, ''))).rejects.toMatchObject({
      code: 'MissingAuthenticationTokenException',
    });
  });

  it('counts for less than a signature that is wrong', async () => {
    const request = sign({ secret: 'x'.repeat(40) });
    const both = { ...request, headers: { ...request.headers, 'x-api-key': issued.apiKey } };

    await expect(authenticate(both)).rejects.toMatchObject({ code: 'InvalidSignatureException' });
  });
});

describe('what a key may call', () => {
  it.each([
    ['tenant-7/a/b.tar.gz', 'tenant-7/*', true],
    ['tenant-70/a.tar.gz', 'tenant-7/*', false],
    ['tenant-7/a.tar.gz', 'tenant-?/*.tar.gz', true],
    ['Tenant-7/a.tar.gz', 'tenant-7/*', false],
    ['a.tar.gz', '*', true],
    ['a', 'a*a', false],
    ['aba', 'a*a', true],
    ['', '*', true],
    ['a.tar.gz', '', false],
  ])('%s by %s: %s', (name, pattern, matches) => {
    expect(matchesPattern(name, pattern)).toBe(matches);
  });

  it('is found out in time, whatever the pattern', () => {
    const name = 'a'.repeat(1024);

    expect(matchesPattern(name, `${'*a'.repeat(511)}b`)).toBe(false);
    expect(matchesPattern(name, '*'.repeat(1024))).toBe(true);
  });

  it('is told without telling what it may', () => {
    const principal = { id: record.id, role: 'invoke', models: ['secret-project/*'] } as const;

    expect(() => authorizeInvoke(principal, 'secret-project/m')).not.toThrow();
    expect(() => authorizeInvoke(principal, 'other/m')).toThrow(
      expect.objectContaining({
        code: 'AccessDeniedException',
        message: expect.not.stringContaining('secret-project'),
      }),
    );
  });
});

describe('keys in a router', () => {
  let reads: number;
  let fails: boolean;
  const cache = () => ({
    find: cachedLookup({
      find: async (id) => {
        reads++;
        if (fails) throw new Error('throttled');
        return rows.get(id);
      },
      ttlMs: 5000,
      outageMs: 300_000,
      maxEntries: 100,
      now: () => nowMs,
      onError: () => undefined,
    }),
  });
  beforeEach(() => {
    [reads, fails] = [0, false];
  });

  it('are read once in five seconds, also those that nobody has', async () => {
    const keys = cache();
    await Promise.all([keys.find(record.id), keys.find(record.id), keys.find('none')]);
    await keys.find('none');
    expect(reads).toBe(2);

    rows.delete(record.id);
    nowMs += 4999;
    expect(await keys.find(record.id)).toBeDefined();
    nowMs += 1;

    expect(await keys.find(record.id)).toBeUndefined();
  });

  it('go on for five minutes while the table does not answer', async () => {
    const keys = cache();
    await keys.find(record.id);
    fails = true;
    nowMs += 299_000;
    expect(await keys.find(record.id)).toBeDefined();
    nowMs += 6000;

    await expect(keys.find(record.id)).rejects.toThrow('throttled');
    await expect(keys.find('unknown')).rejects.toThrow('throttled');
  });
});
