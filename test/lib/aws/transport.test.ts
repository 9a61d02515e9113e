import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { encodeSegment } from '../../../lib/aws/signed-requests.ts';
import { openTransport } from '../../../lib/aws/transport.ts';

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

    const { sign } = openTransport(true);
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
    );

    const signature = (value: string): string => /Signature=(\w{64})/.exec(value)?.[1] ?? value;
    expect(path.startsWith('/models/')).toBe(true);
    expect(signature(String(own.headers?.['Authorization']))).toBe(signature(authorization));
  });
});
