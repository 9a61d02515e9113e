import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndpointFile } from '../../local/endpoint-file.ts';
import { isAlive } from '../local/lambda/lambda-harness.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

interface Started {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>;
}

/** What `npm start` runs; resolves at `ready`, or when it ends before. */
const start = async (environment: Record<string, string>, args: readonly string[] = []): Promise<Started> => {
  const child = spawn(process.execPath, ['local/main.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', MODELS: '12', ...environment },
  });
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.endsWith('\nready\n')) resolve();
      });
    }
    void exited.then(() => resolve());
  });
  return { process: child, output: () => output, exited };
};

let directory: string;
let port: number;
let first: Started;
let endpoint: EndpointFile;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'start-'));
  port = await freePort();
  first = await start({ PORT: String(port), LOCAL_DIR: directory });
  endpoint = JSON.parse(await readFile(join(directory, 'endpoint.json'), 'utf8')) as EndpointFile;
});
afterAll(async () => {
  first.process.kill('SIGKILL');
  await first.exited;
  await rm(directory, { recursive: true, force: true });
});

describe('npm start', () => {
  it('ends with a line "ready", and tells scripts how to call it', () => {
    expect(first.output()).toMatch(/uploading models 14\/14\n/);
    expect(first.output().trimEnd().split('\n').at(-1)).toBe('ready');
    expect(endpoint).toEqual({
      url: `http://127.0.0.1:${port}`,
      functionUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      endpointName: 'lambda-mme-dev',
      region: 'us-east-1',
      bucket: 'lambda-mme-dev-models',
      prefix: 'models/',
      table: 'lambda-mme-dev-catalog',
      accessKeyId: expect.stringMatching(/^MME[A-Z2-7]{17}$/),
      secretAccessKey: expect.stringMatching(/^\S{40,}$/),
      apiKey: expect.stringMatching(/^\S{40,}$/),
      authentication: 'keys',
      masterKeyParameter: '/lambda-mme-dev/master-key',
      awsEndpointUrl: `http://127.0.0.1:${port}`,
      pid: first.process.pid,
    });
  });

  it('prints a curl line that works as printed', async () => {
    const line =
      first
        .output()
        .split('\n')
        .find((each) => each.startsWith('curl -s')) ?? '';

    const { stdout } = await run('sh', ['-c', line]);

    expect(JSON.parse(stdout)).toEqual({ predictions: [[expect.any(Number)]] });
  });

  const python = process.env['MME_PYTHON'];
  it.skipIf(python === undefined)('prints a boto3 snippet that works as printed', async () => {
    const [, snippet = ''] = /boto3:\n([\s\S]*?)\n\nready/.exec(first.output()) ?? [];

    const { stdout } = await run(python ?? '', ['-c', snippet], { env: { PATH: process.env['PATH'] } });

    expect(JSON.parse(stdout)).toEqual({ predictions: [[expect.any(Number)]] });
  });

  it('refuses a second process on the same folder', async () => {
    const second = await start({ PORT: String(await freePort()), LOCAL_DIR: directory });

    expect(await second.exited).toBe(1);
    expect(second.output()).toMatch(/is served by another process already: .*LOCAL_DIR=/);
  });

  it('does not empty a folder that another process serves', async () => {
    const second = await start({ PORT: String(await freePort()), LOCAL_DIR: directory }, ['--reset']);

    expect(await second.exited).toBe(1);
    expect(existsSync(join(directory, 's3'))).toBe(true);
  });

  it('refuses a port that is taken, before it builds anything', async () => {
    const other = await mkdtemp(join(tmpdir(), 'start-'));

    const second = await start({ PORT: String(port), LOCAL_DIR: other });

    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`port ${port} of 127.0.0.1 is taken`);
    expect(second.output()).toContain('PORT=3001 npm start');
    expect(second.output()).not.toContain('building');
    await rm(other, { recursive: true, force: true });
  });

  it('names a setting that is out of bounds', async () => {
    const second = await start({ PORT: 'many', LOCAL_DIR: directory });

    expect(await second.exited).toBe(1);
    expect(second.output()).toBe(
      'environment variable PORT must be a whole number from 0 to 65535, but is "many"\n',
    );
  });

  it('explains itself', async () => {
    const help = await start({}, ['--help']);

    expect(await help.exited).toBe(0);
    expect(help.output()).toMatch(/^Usage: npm start/);
  });
});

/** `npx serverless invoke local`, with a user's real keys around that it must not use. */
const invokeLocal = async (name: string, event: string, localDir: string, params: readonly string[] = []) => {
  const framework = join(ROOT, 'node_modules', 'osls', 'bin', 'serverless.js');
  const args = [framework, 'invoke', 'local', '-f', name, '-p', join('examples', 'events', event), ...params];
  const { stdout, stderr } = await run(process.execPath, args, {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      LOCAL_DIR: localDir,
      AWS_ACCESS_KEY_ID: 'AKIAREALKEYOFTHEUSER',
      AWS_SECRET_ACCESS_KEY: 'real',
    },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return {
    stdout,
    stderr,
    answer: JSON.parse(stdout.slice(`\n${stdout}`.lastIndexOf('\n{'))) as Record<string, unknown>,
  };
};

describe('npx serverless invoke local', () => {
  it.each<[string, string, object, ...string[]]>([
    ['router', 'ping.json', { statusCode: 200, body: '{"status":"Healthy"}' }],
    [
      'router',
      'invoke-endpoint.json',
      { statusCode: 200, body: expect.stringContaining('probabilities') },
      '--param=authentication=none',
    ],
    ['router', 'invoke-endpoint.json', { statusCode: 403 }],
    ['cold-00', 'inference-call.json', { ok: true, body: expect.stringContaining('probabilities') }],
    ['scaler', 'schedule.json', { routes: 'kept' }],
    ['async', 'async-job.json', { batchItemFailures: [] }],
    ['catalog', 'object-created.json', { batchItemFailures: [] }],
    [
      'management',
      'list-models.json',
      { statusCode: 200, body: expect.stringContaining('diabetes') },
      '--param=authentication=none',
    ],
  ])('runs %s against the local cloud: %s', async (name, event, expected, ...params) => {
    expect((await invokeLocal(name, event, directory, params)).answer).toMatchObject(expected);
  });

  it('without a local cloud says so, and reaches nothing', async () => {
    const nowhere = await mkdtemp(join(tmpdir(), 'nowhere-'));

    const { stderr, stdout, answer } = await invokeLocal('cold-00', 'inference-call.json', nowhere);

    expect(stdout + stderr).toContain('No local cloud runs on');
    expect(answer).toMatchObject({ ok: false, code: 'InternalDependencyException' });
    expect(stdout + stderr).toContain('127.0.0.1');
    await rm(nowhere, { recursive: true, force: true });
  });
});

describe('Ctrl-C', () => {
  it('ends every child, and a later start finds everything as it was', async () => {
    const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
    const processes = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number));
    const children = processes.flatMap(([pid = 0, parent]) => (parent === first.process.pid ? [pid] : []));
    expect(children.length).toBeGreaterThan(0);

    first.process.kill('SIGINT');

    expect(await first.exited).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
    expect(existsSync(join(directory, 'endpoint.json'))).toBe(false);

    const again = await start({ PORT: String(port), LOCAL_DIR: directory });
    expect(again.output()).not.toMatch(/building|uploading/);
    const line =
      again
        .output()
        .split('\n')
        .find((each) => each.startsWith('curl -s')) ?? '';
    expect((await run('sh', ['-c', line])).stdout).toContain('predictions');
    again.process.kill('SIGTERM');
    expect(await again.exited).toBe(0);
  });

  it('--reset starts empty', async () => {
    const again = await start({ PORT: String(port), LOCAL_DIR: directory, MODELS: '3' }, ['--reset']);

    expect(again.output()).toMatch(/uploading models 5\/5\n/);
    again.process.kill('SIGTERM');
    expect(await again.exited).toBe(0);
  });
});
