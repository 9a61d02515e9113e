import { describe, expect, it } from 'vitest';
import { environmentsPerFunction, parseSettings, withLocalSizes } from '../../local/settings.ts';

const GIB = 1024 ** 3;

describe('parseSettings', () => {
  it('has a default for everything', () => {
    expect(parseSettings({})).toMatchObject({ port: 3000, models: 1000, limits: 'off', queueWaitMs: 5000 });
  });

  it.each([
    [{ PORT: '70000' }, /PORT must be a whole number from 0 to 65535/],
    [{ MODELS: 'all' }, /MODELS must be/],
    [
      { PARAMS: 'allowCustomCode' },
      /PARAMS should be name=value, more between spaces, but has "allowCustomCode"/,
    ],
    [{ LOCAL_LIMITS: 'some' }, /LOCAL_LIMITS must be one of aws, off/],
    [{ LOCAL_TICK_SECONDS: '7' }, /LOCAL_TICK_SECONDS must be one of 1, 5, 10, 20, 30, 60/],
  ])('refuses %o', (environment, message) => {
    expect(() => parseSettings(environment)).toThrow(message);
  });
});

it('takes parameters of serverless.yml', () => {
  const PARAMS = ' coldShards=2  weightsPrefixes=s3://a/b/,s3://c/ ';
  expect(parseSettings({ PARAMS, LOCAL_LIMITS: 'aws' }).params).toEqual([
    'coldShards=2',
    'weightsPrefixes=s3://a/b/,s3://c/',
  ]);
});

describe('sizes for this machine', () => {
  it.each([
    [1, 2, 1],
    [2, 4, 1],
    [6, 12, 3],
    [64, 128, 4],
  ])('%d cores: %d provisioned workers and %d shards', (cores, workers, shards) => {
    expect(withLocalSizes([], 'off', cores)).toEqual([`workerBudget=${workers}`, `coldShards=${shards}`]);
  });

  it('are left to whoever names them', () => {
    const params = ['coldShards=3', 'workerBudget=7'];
    expect(withLocalSizes(params, 'off', 2)).toEqual(params);
    expect(withLocalSizes(['coldShards=3'], 'off', 2)).toEqual(['coldShards=3', 'workerBudget=4']);
  });

  it("are the deployment's where AWS's limits hold", () => {
    expect(withLocalSizes([], 'aws', 2)).toEqual([]);
  });
});

describe('environmentsPerFunction', () => {
  it.each([
    ['one per core where memory allows', { cores: 8, memoryBytes: 64 * GIB }, 8],
    ['fewer where memory is short', { cores: 16, memoryBytes: 8 * GIB }, 2],
    ['two at least', { cores: 1, memoryBytes: 2 * GIB }, 2],
  ])('gives %s', (_, machine, expected) => {
    expect(environmentsPerFunction(8, machine)).toBe(expected);
  });
});
