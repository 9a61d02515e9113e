import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Values } from '../../cli/command.ts';
import { COMMANDS } from '../../cli/commands/index.ts';
import { complete } from '../../cli/complete.ts';
import { SHELLS, scriptOf } from '../../cli/completion-scripts.ts';
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
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    [['logs', '--limit', '20000'], /at least 1 and at most 10000/],
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
      bucket: undefined,
      endpoint: undefined,
    });
    expect(() => deployedOf({ region: 'x' })).toThrow(UsageError);
    expect(() => deployedOf({ region: 'x' })).toThrow('--region goes with --stage');
  });
});

describe('help of a command', () => {
  it.each([
    [['help', 'push'], /^Usage: mme push.*Example:/s],
    [['help', 'keys', 'create'], /^Usage: mme keys create.*Example:/s],
    [['help', 'keys'], /^Usage: mme keys .*revoke/s],
    [['help'], /^Usage: mme .*completion/s],
    [['help', 'push', 'anything'], /^Usage: mme push/],
  ])('%j', async (words, expected) => {
    const { text, error } = await parse(...words);
    expect(text).toMatch(expected);
    expect(error).toBeUndefined();
  });

  it.each([
    [['help', 'pish'], 'Did you mean push?'],
    [['help', 'keys', 'creat'], 'Did you mean create?'],
    [['keys', 'creat'], 'Did you mean create?'],
    [['push', 'f', '--no-chek'], 'Did you mean --no-check?'],
  ])('%j has a suggestion', async (words, suggestion) => {
    const { text, error, started } = await parse(...words);
    expect(text).toContain(suggestion);
    expect(error).toBeInstanceOf(CommanderError);
    expect(started).toBeUndefined();
  });
});

describe('the table of commands', () => {
  it('has every command that a file of cli/commands has', async () => {
    const folder = join(import.meta.dirname, '../../cli/commands');
    const files = readdirSync(folder).filter((name) => name !== 'index.ts');
    const modules = await Promise.all(files.map((name) => import(join(folder, name))));
    const specs = modules.flatMap((module) => Object.values(module)).filter((each) => isSpec(each));
    expect(new Set(specs)).toEqual(new Set(COMMANDS));
    expect(new Set(COMMANDS.map(({ name }) => name)).size).toBe(COMMANDS.length);
  });

  const isSpec = (value: unknown): boolean => typeof value === 'object' && value !== null && 'run' in value;
});

describe('what words may become', () => {
  const program = createProgram(async () => undefined);

  it.each([
    [[''], { candidates: expect.arrayContaining(['push', 'keys', 'help', 'logs']) }],
    [['keys', ''], { candidates: expect.arrayContaining(['create', 'ls', 'revoke']) }],
    [['help', 'lo'], { candidates: ['logs'] }],
    [['help', 'keys', 're'], { candidates: ['revoke'] }],
    [['logs', '--fo'], { candidates: ['--follow'] }],
    [['logs', '--limit', ''], { candidates: [] }],
    [['completion', ''], { candidates: ['bash', 'zsh', 'fish'] }],
    [['describe', 'ten'], { candidates: [], wanted: 'model', start: 'ten' }],
    [['describe', 'a', 'b'], { candidates: [] }],
    [['push', 'file', 'ten'], { wanted: 'model' }],
    [['copy', 'a', 'b'], { candidates: [] }],
    [['logs', 'r'], { wanted: 'function|model' }],
    [
      ['--stage', 'prod', 'rm', '--region=eu-west-1', '--json', 'm'],
      { wanted: 'model', values: { stage: 'prod', region: 'eu-west-1', json: true } },
    ],
  ])('%j', (words, expected) => {
    expect(complete(program, words)).toMatchObject(expected);
  });

  it('is no model for what takes none', () => {
    expect(complete(program, ['describe', 'a', 'b'])).not.toHaveProperty('wanted');
    expect(complete(program, ['push', 'fil'])).not.toHaveProperty('wanted');
  });
});

describe('scripts of completion', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scripts-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.for(SHELLS)('%s parses', async (shell, { skip }) => {
    const file = join(folder, shell);
    await writeFile(file, scriptOf(shell, "/a folder/it's/mme.cjs"));

    const { error, status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });

    skip(error !== undefined, `there is no ${shell} on this machine`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
