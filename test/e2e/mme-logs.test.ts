import { spawn } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { line } from '../cli/logs/log-source.contract.ts';
import { MAIN, runIn } from './mme-shell.ts';

let directory: string;
const textOf = (message: string): string => `${line('router', Date.now(), message).text}\n`;
const write = (text: string): Promise<void> => appendFile(join(directory, 'logs', 'e-router.log'), text);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mme-logs-'));
  await mkdir(join(directory, 'logs'));
  await writeFile(
    join(directory, 'endpoint.json'),
    JSON.stringify({
      url: 'http://127.0.0.1:9',
      awsEndpointUrl: 'http://127.0.0.1:9',
      endpointName: 'e',
      region: 'us-east-1',
      accessKeyId: 'test',
      secretAccessKey: 'test',
      bucket: 'b',
      prefix: 'models/',
      table: 't',
      masterKeyParameter: 'm',
    }),
  );
  await write(
    Array.from({ length: 5000 }, (_, index) => textOf(`line ${index} ${'x'.repeat(200)}`)).join(''),
  );
});
afterAll(() => rm(directory, { recursive: true }));

describe('mme logs', () => {
  it('follows what a function writes', async () => {
    const child = spawn(process.execPath, [MAIN, 'logs', '--follow', '--limit', '2'], {
      env: { ...process.env, LOCAL_DIR: directory },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const seen: string[] = [];
    for await (const text of createInterface({ input: child.stdout })) {
      seen.push(text);
      if (seen.length === 2) await write(textOf('comes later'));
      if (seen.length === 3) await write(textOf('and later'));
      if (seen.length === 4) child.kill();
    }
    expect(seen.map((text) => text.slice(13, 40))).toEqual(
      [
        'router     INFO  line 4998 ',
        'router     INFO  line 4999 ',
        'router     INFO  comes later',
        'router     INFO  and later',
      ].map((text) => text.slice(0, 27)),
    );
  }, 30_000);

  it('ends quietly when nobody reads on', async () => {
    const command = `'${process.execPath}' '${MAIN}' logs --limit 10000 | head -1; echo "\${PIPESTATUS[0]}"`;
    const { out, err } = await runIn(directory)('bash', ['-c', command]);
    expect(err).toBe('');
    expect(out).toMatch(/line 0 x+\n0\n$/);
  }, 30_000);

  it('says what functions there are', async () => {
    const ran = await runIn(directory)(process.execPath, [MAIN, 'logs', 'ruoter']);
    expect(ran).toMatchObject({ code: 0, out: 'no lines: see --since\n' });
    expect(ran.err).toMatch(/there is no log of a function "ruoter": there are router/);
  }, 30_000);
});
