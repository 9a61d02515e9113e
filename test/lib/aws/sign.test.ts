import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import aws4 from 'aws4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSegment, type Signable, sign } from '../../../lib/aws/sign.ts';

const CREDENTIALS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG',
  sessionToken: 'token/+=',
};

interface SdkRequest {
  readonly hostname: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the AWS SDK would send for an object, signature included. */
const sdkRequest = async (Key: string): Promise<SdkRequest> => {
  const sent = Promise.withResolvers<SdkRequest>();
  const client = new S3Client({
    region: 'eu-west-3',
    credentials: CREDENTIALS,
    endpoint: 'http://127.0.0.1:9',
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: {
      handle: (request: SdkRequest) => {
        sent.resolve(request);
        return Promise.reject(new Error('not sent'));
      },
    },
  });
  await client.send(new GetObjectCommand({ Bucket: 'models', Key })).catch(() => undefined);
  return sent.promise;
};

describe('a signature', () => {
  it.each([
    'models/churn.tar.gz',
    'models/tenant 7/ü+ö=&?#%20.tar.gz',
    "models/a!b'(c)*~_-.tar.gz",
    'models//twice/./dot.tar.gz',
    'models/日本語😀.onnx',
  ])('is that of the AWS SDK for %s', async (key) => {
    const { path, headers } = await sdkRequest(key);
    const authorization = headers['authorization'] ?? '';
    const signedNames = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? [];

    const own = sign(
      {
        service: 's3',
        region: 'eu-west-3',
        host: headers['host'] ?? '',
        method: 'GET',
        path: `/models/${key.split('/').map(encodeSegment).join('/')}?x-id=GetObject`,
        headers: Object.fromEntries(signedNames.map((name) => [name, headers[name] ?? ''])),
      },
      CREDENTIALS,
      new Date(
        (headers['x-amz-date'] ?? '').replace(
          /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
          '$1-$2-$3T$4:$5:$6Z',
        ),
      ),
    );

    const signature = (value: string): string => /Signature=(\w{64})/.exec(value)?.[1] ?? value;
    expect(path.startsWith('/models/')).toBe(true);
    expect(signature(own['authorization'] ?? '')).toBe(signature(authorization));
  });

  it('is that of the npm package aws4, whatever is signed', () => {
    const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).map(encodeSegmentOf);
    const request = fc.record({
      service: fc.constantFrom('s3', 'lambda', 'dynamodb', 'sqs'),
      method: fc.constantFrom('GET', 'POST', 'PUT', 'HEAD'),
      segments: fc.array(segment, { minLength: 1, maxLength: 4 }),
      query: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'prefix', 'Qualifier'), segment), { maxLength: 3 }),
      body: fc.option(fc.string({ maxLength: 100 }), { nil: undefined }),
      token: fc.option(fc.constant('token/+='), { nil: undefined }),
      nowMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    });
    fc.assert(
      fc.property(request, ({ service, method, segments, query, body, token, nowMs }) => {
        const unique = [...new Map(query)].map(([name, value]) => `${name}=${value}`);
        const signable: Signable = {
          service,
          region: 'us-east-1',
          host: 'example.com',
          method,
          path: `/${segments.join('/')}${unique.length === 0 ? '' : `?${unique.join('&')}`}`,
          headers: { 'content-type': 'application/json', 'x-amz-target': 'X.Y' },
          ...(body === undefined ? {} : { body }),
        };
        const own = sign(
          signable,
          { accessKeyId: 'ID', secretAccessKey: 'secret', ...(token && { sessionToken: token }) },
          new Date(nowMs),
        );
        const { 'content-length': _, authorization, ...headers } = own;
        const theirs = aws4.sign(
          {
            ...signable,
            headers: { ...headers },
            // Its types do not know it.
            ...{ extraHeadersToIgnore: { 'content-length': true } },
          },
          { accessKeyId: 'ID', secretAccessKey: 'secret' },
        );
        expect(authorization).toBe(theirs.headers?.['Authorization']);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves out what is added on the way, and says how long the body is', () => {
    const own = sign(
      {
        service: 'lambda',
        region: 'r',
        host: 'h',
        method: 'POST',
        path: '/',
        headers: { 'x-amzn-trace-id': 't' },
        body: 'ü',
      },
      { accessKeyId: 'ID', secretAccessKey: 's' },
      new Date(0),
    );
    expect(own).toMatchObject({
      'content-length': '2',
      'x-amzn-trace-id': 't',
      'x-amz-date': '19700101T000000Z',
    });
    expect(own['authorization']).toContain('SignedHeaders=host;x-amz-date,');
  });
});

/** Lone surrogates are no text, and dots alone are places. */
const encodeSegmentOf = (text: string): string => encodeSegment(`x${text.toWellFormed()}`);
