import { describe, expect, it } from 'vitest';
import { functions } from '../../../functions/groups.cjs';
import { deployedGroups } from '../../../lib/catalog/deployed-groups.ts';

const DEFAULTS = {
  'param:coldShards': 12,
  'param:hotSlots': 3,
  'param:inferenceMemory': 1769,
  'param:refreshSeconds': 60,
  'param:allowCustomCode': 'false',
  'param:allowArtifactWorkers': 0,
  'param:weightsPrefixes': '',
};

/** What osls gives a function that asks for its parameters: the defaults, but for the given ones. */
const resolve = (parameters: Record<string, unknown> = {}) => {
  const given: Record<string, unknown> = { ...DEFAULTS, ...parameters };
  return { resolveVariable: async (name: string) => given[name] };
};

describe('deployedGroups', () => {
  it('names the same groups as the deployment creates', async () => {
    const created = await functions(resolve());

    const { cold, hot } = deployedGroups({ functionPrefix: 'mme-dev-', coldShards: 12, hotSlots: 3 });

    expect([...cold, ...hot]).toEqual(Object.keys(created));
  });

  it('calls a cold group through the alias that deployments move', () => {
    const groups = deployedGroups({ functionPrefix: 'mme-dev-', coldShards: 1, hotSlots: 0 });

    expect(groups.coldTarget('cold-00')).toEqual({ functionName: 'mme-dev-cold-00', qualifier: 'live' });
  });
});

describe('groups.cjs', () => {
  it.each([
    [{ 'param:coldShards': 0, 'param:hotSlots': 0 }, /coldShards must be a whole number, at least 1/],
    [{ 'param:coldShards': 'many', 'param:hotSlots': 0 }, /but is "many"/],
    [{ 'param:coldShards': 30, 'param:hotSlots': 11 }, /is 41: at most 40/],
    [{ 'param:inferenceMemory': 'abc' }, /inferenceMemory must be a whole/],
    [{ 'param:refreshSeconds': 'often' }, /refreshSeconds must be a whole number/],
    [{ 'param:allowCustomCode': 'yes' }, /allowCustomCode must be true or false, but is "yes"/],
    [{ 'param:allowArtifactWorkers': -1 }, /allowArtifactWorkers must be a whole number, at least 0/],
  ])('refuses %o', async (parameters, message) => {
    await expect(functions(resolve(parameters))).rejects.toThrow(message);
  });
});
