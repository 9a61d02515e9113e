import { describe, expect, it } from 'vitest';
import { parseInferenceConfig } from '../../../functions/inference/config.ts';

const MB = 1024 * 1024;
const environment = (overrides: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  GROUP: 'cold-00',
  MODELS_BUCKET: 'bucket',
  MODELS_PREFIX: 'models/',
  ENDPOINT_NAME: 'mme',
  TABLE_NAME: 'catalog',
  AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/22/[$LATEST]0123456789abcdef012345675f6a7b8c',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1769',
  ...overrides,
});

describe('parseInferenceConfig', () => {
  it('reads where models are, and derives how many bytes of them a worker holds', () => {
    expect(parseInferenceConfig(environment())).toEqual({
      group: 'cold-00',
      bucket: 'bucket',
      prefix: 'models/',
      memoryBytes: 811 * MB,
      diskRoot: expect.stringMatching(/lambda-mme-models$/),
      diskBytes: 384 * MB,
      metricsNamespace: 'lambda-mme',
      endpointName: 'mme',
      tickMs: 60_000,
      flushEveryMs: 10_000,
      startsAhead: false,
      version: '$LATEST',
      worker: '5f6a7b8c',
      tableName: 'catalog',
      preloadMs: 300_000,
      refreshMs: 60_000,
      refusalMs: 10_000,
      slowLoadMs: 5000,
      allowCustomCode: false,
      artifactWorkers: 0,
      weightsPrefixes: [],
    });
  });

  it.each([
    ['128', 64],
    ['512', 64],
    ['1024', 364],
    ['10240', 5894],
  ])('keeps of %s MB of memory %d MB for models', (memory, megabytes) => {
    const config = parseInferenceConfig(environment({ AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memory }));

    expect(config.memoryBytes).toBe(megabytes * MB);
  });

  it('takes budgets that are set', () => {
    const config = parseInferenceConfig(environment({ MODEL_MEMORY_MB: '100', MODEL_DISK_MB: '2000' }));

    expect(config).toMatchObject({ memoryBytes: 100 * MB, diskBytes: 2000 * MB });
  });

  it.each([
    ['provisioned-concurrency', true],
    ['on-demand', false],
    ['snap-start', false],
  ])('gets ready ahead of calls when its environment starts as %s: %s', (type, startsAhead) => {
    expect(parseInferenceConfig(environment({ AWS_LAMBDA_INITIALIZATION_TYPE: type })).startsAhead).toBe(
      startsAhead,
    );
  });

  it.each(['GROUP', 'MODELS_BUCKET', 'MODELS_PREFIX', 'ENDPOINT_NAME'])(
    'names %s when it is missing',
    (name) => {
      expect(() => parseInferenceConfig(environment({ [name]: undefined }))).toThrow(
        `environment variable ${name} is missing`,
      );
    },
  );

  it.each(['0', 'many', '1.5'])('refuses a budget of %j', (value) => {
    expect(() => parseInferenceConfig(environment({ MODEL_MEMORY_MB: value }))).toThrow(
      'MODEL_MEMORY_MB must be a whole number',
    );
  });
});
