import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeEndpointFile } from '../../local/endpoint-file.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';
import { MAIN, runIn } from './mme-shell.ts';

let running: RunningCloud;
let scripts: string;

/** Names that a shell would make something of. */
const NASTY = ['odd/$(touch pwned).onnx', 'odd/it is*.onnx', 'odd/a:b=c.onnx'];

beforeAll(async () => {
  scripts = await mkdtemp(join(tmpdir(), 'mme-completion-'));
  running = await startTestCloud();
  const { endpoint } = running;
  await writeEndpointFile(running.directory, endpoint);
  const s3 = new S3Client({
    endpoint: endpoint.awsEndpointUrl,
    region: endpoint.region,
    credentials: { accessKeyId: endpoint.accessKeyId, secretAccessKey: endpoint.secretAccessKey },
    forcePathStyle: true,
  });
  const many = Array.from({ length: 120 }, (_, index) => `many/m-${String(index).padStart(3, '0')}.onnx`);
  for (const name of [...NASTY, ...many, 'odd/notes.txt', 'tenant-9/churn.tar.gz', 'tenant-9/b.onnx']) {
    await s3.send(new PutObjectCommand({ Bucket: endpoint.bucket, Key: endpoint.prefix + name, Body: 'x' }));
  }
  s3.destroy();
  const run = runIn(running.directory);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await run(process.execPath, [MAIN, 'completion', shell]);
    await writeFile(join(scripts, shell), out);
  }
}, 60_000);
afterAll(async () => {
  await running.close();
  await rm(scripts, { recursive: true });
});

const completeIn = (directory: string, ...words: readonly string[]) =>
  runIn(directory)(process.execPath, [MAIN, '__complete', '--', ...words]);
const complete = (...words: readonly string[]) => completeIn(running.directory, ...words);

describe('mme __complete', () => {
  it('has models, functions, and no other objects', async () => {
    expect((await complete('describe', 'tenant-')).out).toBe('tenant-9/b.onnx\ntenant-9/churn.tar.gz\n');
    expect((await complete('describe', 'odd/')).out.split('\n')).toEqual([...NASTY.toSorted(), '']);
    expect((await complete('logs', 'r')).out).toBe('router\n');
    expect((await complete('logs', 'tenant-9/c')).out).toBe('tenant-9/churn.tar.gz\n');
  });

  it('has at most 50, and does not make the first of many look like all', async () => {
    const names = (await complete('describe', 'many/')).out.trimEnd().split('\n');
    expect(names).toHaveLength(50);
    expect(names[0]).toBe('many/m-000.onnx');
    expect(names.at(-1)).toBe('many/...');
  });

  it.each([
    [['describe', '--stage', 'none', 'tenant-']],
    [['describe', '--endpoint', 'http://127.0.0.1:9', 'tenant-']],
    [['describe', '--region', 'alone', 'tenant-']],
    [['nonsense', '--nonsense', '']],
  ])('%j: is silent, and offers nothing of another endpoint', async (words) => {
    expect(await complete(...words)).toMatchObject({ code: 0, out: '', err: '' });
  });

  it('is silent where no endpoint runs, and waits for none that hangs', async () => {
    expect(await completeIn(scripts, 'describe', 't')).toMatchObject({ code: 0, out: '', err: '' });

    const hung = createServer(() => undefined);
    await new Promise<void>((resolve) => hung.listen(0, '127.0.0.1', resolve));
    const { port } = hung.address() as AddressInfo;
    const directory = await mkdtemp(join(tmpdir(), 'hung-'));
    const url = `http://127.0.0.1:${port}`;
    await writeEndpointFile(directory, { ...running.endpoint, url, awsEndpointUrl: url });
    const ran = await completeIn(directory, 'describe', 't');
    hung.close();
    await rm(directory, { recursive: true });

    expect(ran).toMatchObject({ code: 0, out: '', err: '' });
    // Its own bound is 1.8 s from its start; the rest is a busy machine.
    expect(ran.tookMs).toBeLessThan(5000);
  });
});

/** What bash would make of a line, words taken apart as bash does it. */
const inBash = async (...words: readonly string[]) => {
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const { out, err } = await runIn(running.directory)('bash', [
    '-c',
    `source '${join(scripts, 'bash')}'; COMP_WORDS=(mme ${quoted}); COMP_CWORD=${words.length}; _mme; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p mme`,
  ]);
  expect(err).toBe('');
  expect(out).toContain('complete -o default -F _mme mme\n');
  return out.split('\n').slice(0, -2);
};

describe('completion in bash', () => {
  it.each([
    [['pu'], ['push']],
    [['keys', 'cr'], ['create']],
    [['logs', '--fol'], ['--follow']],
    [
      ['describe', 'tenant-9/'],
      ['tenant-9/b.onnx', 'tenant-9/churn.tar.gz'],
    ],
    [['describe', '"tenant-9/b'], ['tenant-9/b.onnx']],
    [['describe', 'odd/$'], [String.raw`odd/\$\(touch\ pwned\).onnx`]],
    [['describe', 'odd/it\\ '], [String.raw`odd/it\ is\*.onnx`]],
    // As bash has `odd/a:b`, and then `odd/a:b=`.
    [['describe', 'odd/a', ':', 'b'], ['b=c.onnx']],
    [['describe', 'odd/a', ':', 'b', '='], ['c.onnx']],
    [['describe', 'odd/a', ':', ''], ['b=c.onnx']],
    [['describe', 'nothing-like-it'], ['']],
  ])('%j', async (words, expected) => {
    expect(await inBash(...words)).toEqual(expected);
  });
});

const isThere = (shell: string): boolean => spawnSync(shell, ['--version']).error === undefined;

// Skipped where the shell is not installed.
describe('completion in zsh', () => {
  it.skipIf(!isThere('zsh'))('has commands and models, of words as they are meant', async () => {
    const ask = (line: string): string => `words=(mme ${line}); CURRENT=$#words; _mme`;
    const { out, err } = await runIn(running.directory)('zsh', [
      '-f',
      '-c',
      // What zsh has only while it completes.
      `compdef() { }; compadd() { print -rl -- "\${(@P)2}" }; _files() { print files }
       source '${join(scripts, 'zsh')}'; ${ask('pu')}; ${ask('describe tenant-9/')}; ${ask("describe 'odd/it\\ '")}; ${ask('push file')}`,
    ]);
    expect(err).toBe('');
    expect(out).toBe('push\ntenant-9/b.onnx\ntenant-9/churn.tar.gz\nodd/it is*.onnx\nfiles\n');
  });
});

describe('completion in fish', () => {
  it.skipIf(!isThere('fish'))('has commands and models', async () => {
    const { out, err } = await runIn(running.directory)('fish', [
      '--no-config',
      '-c',
      `source '${join(scripts, 'fish')}'; complete -C 'mme pu'; complete -C 'mme describe tenant-9/'; complete -C 'mme describe odd/it'`,
    ]);
    expect(err).toBe('');
    expect(out).toBe('push\ntenant-9/b.onnx\ntenant-9/churn.tar.gz\nodd/it is*.onnx\n');
  });
});
