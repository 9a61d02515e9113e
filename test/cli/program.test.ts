import { spawnSync } from 'node:child_process';
import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import type { Values } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands/index.ts';
import { deployedOf } from '../../cli/deployed.ts';
import { createProgram } from '../../cli/program.ts';
import { UsageError } from '../../cli/usage-error.ts';

interface Started {
  readonly name: string;
  readonly args: readonly string[];
  readonly values: Values;
}

/** What a command line starts, and what is written meanwhile. */
const parse = async (
  ...words: readonly string[]
): Promise<{ started?: Started; error?: unknown; text: string }> => {
  let started: Started | undefined;
  let text = '';
  const program = createProgram(async ({ name }, args, values) => {
    started = { name, args, values };
  });
  const write = (part: string): void => {
    text += part;
  };
  for (const each of [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ]) {
    each.configureOutput({ writeOut: write, writeErr: write });
  }
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    return { error, text };
  }
  return { text, ...(started === undefined ? {} : { started }) };
};

describe('the command line of mme', () => {
  it.each([
    [['workers', '--json'], 'workers', [], { json: true }],
    [['--json', 'workers'], 'workers', [], { json: true }],
    [['explain', 'a/b.tar.gz'], 'explain', ['a/b.tar.gz'], {}],
    [['ls'], 'ls', [], { limit: 1000 }],
    [['ls', 'tenant-7/', '--limit', '5'], 'ls', ['tenant-7/'], { limit: 5 }],
    [['push', 'm.tar.gz', 't/m.tar.gz', '--no-check'], 'push', ['m.tar.gz', 't/m.tar.gz'], { check: false }],
    [['keys', 'create', '--models', 'a/*, b'], 'keys create', [], { models: ['a/*', 'b'], role: 'invoke' }],
    [['keys', 'ls'], 'keys ls', [], {}],
    [['logs', '--since', '2h', '--follow'], 'logs', [], { since: 7_200_000, follow: true }],
    [['set', 'm.tar.gz', '--min-workers', 'none'], 'set', ['m.tar.gz'], { minWorkers: 'none' }],
    [
      ['workers', '--stage', 'prod', '--region', 'eu-west-1'],
      'workers',
      [],
      { stage: 'prod', region: 'eu-west-1' },
    ],
  ])('%j', async (words, name, args, values) => {
    expect((await parse(...words)).started).toMatchObject({ name, args, values });
  });

  it.each([
    [['explain'], /missing required argument 'model'/],
    [['explain', 'a', 'b'], /too many arguments/],
    [['worker'], /unknown command 'worker'\n\(Did you mean workers\?\)/],
    [['ls', '--limit', 'many'], /whole number of at least 1/],
    [['workers', '--nonsense'], /unknown option '--nonsense'/],
    [['logs', '--since', 'yesterday'], /30s, 10m, 2h or 1d/],
    [['keys', 'create', '--role', 'king'], /Allowed choices are invoke, manage/],
  ])('refuses %j', async (words, message) => {
    const { error, text } = await parse(...words);
    expect(error).toBeInstanceOf(CommanderError);
    expect(text).toMatch(message);
    expect(text).toContain('npx mme --help');
  });

  it.each(COMMANDS.map(({ name, example }) => [name, example] as const))(
    '%s has help with an example',
    async (name, example) => {
      const { text } = await parse(...name.split(' '), '--help');
      expect(text).toContain(`npx mme ${example}`);
      expect(text).toMatch(/--json/);
    },
  );

  it('has all commands in its help', async () => {
    const { text } = await parse('--help');
    for (const { name } of COMMANDS) expect(text).toContain(name.split(' ')[0]);
  });
});

describe('which endpoint is meant', () => {
  it('is the local one, or that of a stage', () => {
    expect(deployedOf({})).toBeUndefined();
    expect(deployedOf({ stage: 'prod' }, 'eu-west-1')).toEqual({
      stage: 'prod',
      region: 'eu-west-1',
      service: 'lambda-mme',
      bucket: 'lambda-mme-prod-models',
      endpoint: undefined,
    });
    expect(() => deployedOf({ region: 'x' })).toThrow(UsageError);
    expect(() => deployedOf({ region: 'x' })).toThrow('--region goes with --stage');
  });
});

describe('scripts of completion', () => {
  it.each(['bash', 'zsh', 'fish'])('%s parses', async (shell) => {
    const spec = COMMANDS.find(({ name }) => name === 'completion');
    let script = '';
    const output = {
      answer: (text: string) => {
        script = text;
      },
      line: () => undefined,
      progress: () => undefined,
    };
    await spec?.run([shell], {}, { output, connection: undefined as never });
    expect(script).toContain('__complete');
    const { error, status } = spawnSync(shell, ['-n'], { input: script });
    // A shell that is not here cannot be asked.
    if (error === undefined) expect(status).toBe(0);
  });
});
