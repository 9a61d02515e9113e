import { type CommandSpec, list, option, wholeNumber } from '../command.ts';

export const createKey: CommandSpec = {
  name: 'keys create',
  summary: 'issue a key: a pair that AWS SDKs sign with, and an API key',
  options: [
    option('--models <patterns>', 'models that it is for, * and ? as in IAM, between commas')
      .argParser(list)
      .default(['*'], '*'),
    option('--role <role>', 'call them, or manage them as well')
      .choices(['invoke', 'manage'])
      .default('invoke'),
    option('--calls-per-minute <n>', 'at most so many calls a minute').argParser(wholeNumber(1)),
    option('--note <text>', 'for people'),
  ],
  example: "keys create --models 'tenant-7/*' --role invoke --calls-per-minute 600",
  async run(_, { models, role, callsPerMinute, note }, { connection, output }) {
    const { issue } = await import('../keys.ts');
    await issue({ models, role, callsPerMinute, note }, connection, output);
  },
};

export const listKeys: CommandSpec = {
  name: 'keys ls',
  summary: 'the keys that there are, without their secrets',
  example: 'keys ls --json',
  async run(_, __, { connection, output }) {
    const { showKeys } = await import('../keys.ts');
    await showKeys(connection, output);
  },
};

export const revokeKey: CommandSpec = {
  name: 'keys revoke',
  summary: 'end a key, with effect within seconds',
  args: [['<id>', 'of the key: MME...']],
  example: 'keys revoke MMEABCDEFGHIJKLMNOPQ',
  async run([id = ''], _, { connection, output }) {
    const { revoke } = await import('../keys.ts');
    await revoke({ id }, connection, output);
  },
};
