import { describe, expect, it } from 'vitest';
import { deployedEndpoint } from '../../../lib/endpoints/endpoint.ts';
import { parseAsyncInvocation } from '../../../lib/protocol/async-invocation.ts';
import { httpRequest } from '../../fakes/builders.ts';

const parse = (headers: Record<string, string>) =>
  parseAsyncInvocation(
    httpRequest({ headers: { 'x-amzn-sagemaker-target-model': 'm.tar.gz', ...headers } }),
    deployedEndpoint('mme'),
    { bucket: 'bucket', newId: () => 'id', now: () => 0 },
  );

describe('the seconds of an asynchronous call', () => {
  it('are digits within their bounds', () => {
    const job = parse({
      'x-amzn-sagemaker-requestttlseconds': '60',
      'x-amzn-sagemaker-invocationtimeoutseconds': '3600',
    });

    expect(job).toMatchObject({ expiresAtMs: 60_000, timeoutMs: 3_600_000 });
  });

  it.each(['', '59', '21601', '-60', '60.5', '0x3c', '6e1', '+60', ' 60', '60s', 'NaN'])(
    'are refused where they are %j',
    (text) => {
      expect(() => parse({ 'x-amzn-sagemaker-requestttlseconds': text })).toThrow(
        /RequestTTLSeconds should be a whole number from 60 to 21600/,
      );
    },
  );
});
