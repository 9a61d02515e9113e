import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { environmentsPerFunction, parseSettings } from '../../local/settings.ts';

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

it('gives as many workers as the cores can keep busy, unless it is told how many', () => {
  const [budget, ...others] = parseSettings({}).params;
  expect(budget).toBe(`workerBudget=${2 * availableParallelism()}`);
  expect(others).toEqual([]);
  expect(parseSettings({ PARAMS: 'workerBudget=7' }).params).toEqual(['workerBudget=7']);
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
