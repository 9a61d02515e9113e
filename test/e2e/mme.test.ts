import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../deploy/inputs.ts';
import { writeEndpointFile } from '../../local/endpoint-file.ts';
import { artifactPath } from '../fixtures/expected.ts';
import { type RunningCloud, startTestCloud } from './cloud-harness.ts';

let running: RunningCloud;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mme-'));
  running = await startTestCloud({ PARAMS: 'allowCustomCode=true' });
  await writeEndpointFile(running.directory, running.endpoint);
}, 60_000);
afterAll(async () => {
  await running.close();
  await rm(folder, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command as a user types it, in a process of its own. */
const mme = (
  args: readonly string[],
  input = '',
  directory = running.directory,
  environment: Record<string, string> = {},
): Promise<Ran> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(ROOT, 'cli', 'main.ts'), ...args],
      { env: { ...process.env, LOCAL_DIR: directory, ...environment }, timeout: 30_000 },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stdin?.end(input);
  });

describe('mme, against the local cloud', () => {
  it('pushes a model, lists, describes, calls and deletes it', async () => {
    const model = 'tenant-7/iris.tar.gz';
    const pushed = await mme(['push', artifactPath('iris'), model]);
    expect(pushed).toMatchObject({ code: 0, err: '' });
    expect(pushed.out).toMatch(/^tenant-7\/iris\.tar\.gz: [\d.]+ (B|KiB) uploaded, callable now/);

    expect((await mme(['ls', 'tenant-7/'])).out).toMatch(
      /^model +size +modified\ntenant-7\/iris\.tar\.gz +\d/,
    );
    const body = '{"instances":[[5.1,3.5,1.4,0.2]]}';
    expect((await mme(['invoke', model, body])).out).toMatch(/^\{"predictions":\[\{"label":0/);
    expect((await mme(['invoke', model], body)).out).toMatch(/^\{"predictions"/);

    const described = await mme(['describe', model]);
    expect(described.out).toMatch(/^tenant-7\/iris\.tar\.gz\n {2}object +\d.*ETag/);
    expect(described.out).toMatch(/inputs +\w+ float32\[\?,4\]/);

    expect(await mme(['rm', model])).toMatchObject({ code: 0 });
    expect((await mme(['ls', 'tenant-7/'])).out).toBe('no model below "tenant-7/"\n');
  }, 60_000);

  it('packs a folder, and opens it first', async () => {
    const example = join(ROOT, 'examples', 'custom-code');

    expect(await mme(['push', example, 'flowers.tar.gz'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/a worker would refuse it, so it was not uploaded.*model\.mjs/),
    });
    const pushed = await mme(['push', example, 'flowers.tar.gz', '--allow-custom-code', '--json']);

    expect(JSON.parse(pushed.out)).toMatchObject({
      model: 'flowers.tar.gz',
      checked: { loadMs: expect.any(Number) },
    });
    const flower = '[{"sepalLength":5.1,"sepalWidth":3.5,"petalLength":1.4,"petalWidth":0.2}]';
    expect((await mme(['invoke', 'flowers.tar.gz', flower])).out).toMatch(/"species":"setosa"/);
  }, 60_000);

  it('answers with JSON, and says how many there are', async () => {
    const { out } = await mme(['ls', '--limit', '2', '--json']);

    expect(JSON.parse(out)).toMatchObject({ isMore: true, models: [{ model: 'diabetes-0001.tar.gz' }, {}] });
  });

  it.each([
    [['describe', 'none.tar.gz'], 1, /ModelNotFoundException: model "none\.tar\.gz" not found/],
    [['rm', '../secret.tar.gz'], 1, /TargetModel .* has a "\.\." segment/],
    [['invoke', 'diabetes-0001.tar.gz', 'nonsense'], 1, /ValidationError: .*JSON/],
    [['invoke', 'diabetes-0001.tar.gz', '@/no/such/file'], 1, /the file \/no\/such\/file cannot be read/],
    [['push', '/no/such/file'], 1, /there is no file or folder/],
    [['fly'], 2, /unknown command 'fly'/],
  ])('%j ends with a sentence', async (args, code, message) => {
    const ran = await mme(args as string[]);

    expect(ran.code).toBe(code);
    expect(ran.err).toMatch(message);
    expect(ran.err).not.toMatch(/\n {4}at /);
  });

  it('does not upload what no worker would open', async () => {
    const file = join(folder, 'broken.tar.gz');
    await writeFile(file, 'no archive');

    const ran = await mme(['push', file]);

    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/a worker would refuse it, so it was not uploaded/);
    expect((await mme(['ls', 'broken'])).out).toMatch(/no model below/);
    expect(await mme(['push', file, '--no-check'])).toMatchObject({ code: 0 });
  });

  it('says what to do where no endpoint runs', async () => {
    const ran = await mme(['ls'], '', folder);

    expect(ran).toMatchObject({
      code: 1,
      err: expect.stringMatching(/start one with npm start, or give --stage/),
    });
  });

  it('copies, bounds, preloads and rolls back', async () => {
    expect((await mme(['copy', 'diabetes-0001.tar.gz', 'copies/a.tar.gz'])).out).toMatch(/callable now/);
    expect((await mme(['set', 'copies/a.tar.gz', '--max-workers', '3', '--pinned'])).out).toBe(
      'copies/a.tar.gz: at most 3 workers, pinned\n',
    );
    expect((await mme(['set', 'copies/a.tar.gz', '--max-workers', 'none', '--no-pinned'])).out).toBe(
      'copies/a.tar.gz: no bounds\n',
    );
    expect((await mme(['preload', 'copies/a.tar.gz'])).out).toMatch(/is open on a worker/);
    expect(await mme(['rollback', 'copies/a.tar.gz'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/NoPreviousVersionException/),
    });
    await mme(['push', artifactPath('iris'), 'copies/a.tar.gz']);
    expect((await mme(['rollback', 'copies/a.tar.gz', '--json'])).out).toMatch(/"restoredFrom":/);
    expect(await mme(['set', 'copies/a.tar.gz'])).toMatchObject({ code: 2 });
    expect(await mme(['set', 'copies/a.tar.gz', '--min-workers', 'two'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/whole number of at least 0/),
    });
  }, 60_000);

  it('issues keys with limits, lists and revokes them', async () => {
    const { out } = await mme(['keys', 'create', '--models', 'a/*', '--calls-per-minute', '5', '--json']);
    const { accessKeyId } = JSON.parse(out) as { readonly accessKeyId: string };
    expect((await mme(['keys', 'ls'])).out).toMatch(new RegExp(`${accessKeyId} +invoke +a/\\* +5 .*valid`));
    expect((await mme(['keys', 'revoke', accessKeyId])).out).toMatch(/is revoked/);
    expect((await mme(['keys', 'ls'])).out).toMatch(new RegExp(`${accessKeyId}.*revoked 20`));
    expect(await mme(['keys', 'create', '--role', 'king'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/invoke, manage/),
    });
  }, 60_000);

  it('shows the log of a function, as text and as JSON', async () => {
    expect((await mme(['logs', 'scaler', '--limit', '3'])).out).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} scaler +INFO +tick/,
    );
    const { out } = await mme(['logs', 'scaler', '--limit', '1', '--json']);
    expect(JSON.parse(out)).toMatchObject({ functionName: 'scaler', record: { message: 'tick' } });
    expect((await mme(['logs', 'none'])).out).toBe('no lines: see --since\n');
  }, 60_000);

  it.each([
    [['pu'], 'push\n'],
    [['keys', 'r'], 'revoke\n'],
    [['describe', 'diabetes-000'], /^diabetes-0001\.tar\.gz\n/],
    [['invoke', 'diabetes-0001.tar.gz', '--con'], '--content-type\n'],
    [['keys', 'create', '--role', ''], 'invoke\nmanage\n'],
    [['nonsense', 'x'], ''],
  ])('completes %j', async (words, expected) => {
    const { out, code } = await mme(['__complete', '--', ...words]);
    expect(code).toBe(0);
    expect(out).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
  });

  it('works with an address and a key alone, as far as HTTP goes', async () => {
    const { url, apiKey = '' } = running.endpoint;
    const remote = (...args: readonly string[]) =>
      mme([...args, '--endpoint', url], '[[5.1,3.5,1.4,0.2]]', folder, { MME_API_KEY: apiKey });
    await mme(['push', artifactPath('iris'), 'remote.tar.gz', '--no-check']);
    expect((await remote('ls', 'diabetes-', '--limit', '2')).out).toMatch(
      /diabetes-0002.*\n.*there are more/,
    );
    expect((await remote('invoke', 'remote.tar.gz')).out).toMatch(/"label"/);
    expect((await remote('describe', 'remote.tar.gz')).out).toMatch(/inputs/);
    expect((await remote('rm', 'remote.tar.gz')).code).toBe(0);
    expect(await remote('keys', 'ls')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/give --stage as well/),
    });
  }, 60_000);

  it('completes in bash', async () => {
    const script = (await mme(['completion', 'bash'])).out;
    const bash = `${script}
COMP_WORDS=(mme describe tenant-); COMP_CWORD=2; _mme; printf '%s\n' "\${COMPREPLY[@]}"`;
    await mme(['push', artifactPath('iris'), 'tenant-9/iris.tar.gz', '--no-check']);
    const env = { ...process.env, LOCAL_DIR: running.directory };
    const { stdout } = await promisify(execFile)('bash', ['-c', bash], { env });
    expect(stdout).toBe('tenant-9/iris.tar.gz\n');
  }, 30_000);
});
