import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { dispatchToServices, type Handle } from '../../local/dispatch.ts';

const serviceFor = (request: { url?: string; headers?: Record<string, string> }): string => {
  let chosen = '';
  const note =
    (name: string): Handle =>
    () => {
      chosen = name;
    };
  const response = {
    writeHead: (status: number) => {
      chosen = String(status);
    },
    end: () => undefined,
  };
  dispatchToServices({
    s3: note('s3'),
    dynamodb: note('dynamodb'),
    lambda: note('lambda'),
    monitoring: note('monitoring'),
    ssm: note('ssm'),
    sqs: note('sqs'),
    httpApi: note('httpApi'),
  })(
    { url: '/', headers: {}, ...request } as unknown as IncomingMessage,
    response as unknown as ServerResponse,
  );
  return chosen;
};

const signedFor = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=local/20261123/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;

describe('dispatchToServices', () => {
  it.each([
    ['s3', 's3'],
    ['dynamodb', 'dynamodb'],
    ['lambda', 'lambda'],
    ['monitoring', 'monitoring'],
    ['ssm', 'ssm'],
    ['sqs', 'sqs'],
    ['sagemaker', 'httpApi'],
    ['execute-api', 'httpApi'],
    ['sns', '501'],
  ])('sends what is signed for %s to %s', (service, expected) => {
    expect(serviceFor({ headers: { authorization: signedFor(service) } })).toBe(expected);
  });

  it('knows a presigned URL by its credential', () => {
    const url =
      '/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=local%2F20261123%2Fus-east-1%2Fs3%2Faws4_request';

    expect(serviceFor({ url })).toBe('s3');
  });

  it('knows a URL presigned by signature version 2, as botocore writes it', () => {
    expect(serviceFor({ url: '/bucket/key?AWSAccessKeyId=local&Signature=abc%3D&Expires=1795406667' })).toBe(
      's3',
    );
  });

  it('sends what is not signed to the HTTP API', () => {
    expect(serviceFor({ url: '/ping' })).toBe('httpApi');
    expect(serviceFor({ headers: { authorization: 'Bearer x' } })).toBe('httpApi');
  });
});
