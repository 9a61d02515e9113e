import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { Report } from '../../load/report.ts';
import { type Received, startTinyServer, type TinyServer } from './tiny-server.ts';

let server: TinyServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const startLoad = (...args: readonly string[]) => {
  const main = join(import.meta.dirname, '../../load/main.ts');
  const child = spawn(process.execPath, [main, ...args], {
    env: { LOCAL_DIR: join(tmpdir(), 'no-endpoint-here') },
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code]]) => ({ stdout, stderr, code: code as number | null }),
  );
  return { child, ended };
};
const load = (...args: readonly string[]) => startLoad(...args).ended;

const serve = async (
  respond?: (call: Received, response: ServerResponse) => void,
): Promise<readonly string[]> => {
  server = await startTinyServer(respond);
  return ['--url', server.url, '--endpoint', 'e'];
};

describe('npm run load', () => {
  it('prints one JSON object, of as many calls as the endpoint got', async () => {
    const target = await serve();

    const { stdout, code } = await load(
      ...target,
      '--rate',
      '50',
      '--seconds',
      '0.4',
      '--models',
      '20',
      '--json',
    );

    const { runs, models } = JSON.parse(stdout) as Report;
    expect({ code, models }).toEqual({ code: 0, models: 20 });
    expect(runs).toMatchObject([{ pattern: 'even', calls: 20, succeeded: 20, skipped: 0, errors: {} }]);
    expect(new Set(server?.received.map(({ model }) => model)).size).toBe(20);
    expect(JSON.parse(server?.received[0]?.body ?? '').instances).toEqual([
      Array(10).fill(expect.any(Number)),
    ]);
  });

  it('runs all patterns one after another, and tells errors by status', async () => {
    const busy = (_: Received, response: ServerResponse): void => {
      response.writeHead((server?.received.length ?? 0) % 2 === 0 ? 429 : 200).end('{}');
    };
    const target = await serve(busy);

    const { stdout, code } = await load(
      ...target,
      '--pattern=all',
      '--concurrency=2',
      '--seconds=0.2',
      '--json',
    );

    const { runs, throughputRatio } = JSON.parse(stdout) as Report;
    expect(code).toBe(0);
    expect(runs.map(({ pattern }) => pattern)).toEqual(['even', 'hot', 'few']);
    expect(throughputRatio).toBeGreaterThan(0);
    for (const { calls, succeeded, errors } of runs) expect(errors).toEqual({ 429: calls - succeeded });
    expect(runs.reduce((sum, { calls }) => sum + calls, 0)).toBe(server?.received.length);
  });

  it('ends early on a signal, and still reports', async () => {
    const started = Promise.withResolvers<void>();
    const target = await serve((_, response) => {
      response.end('{}');
      started.resolve();
    });

    const { child, ended } = startLoad(...target, '--rate', '20', '--seconds', '600');
    await started.promise;
    child.kill('SIGINT');

    const { stdout, code } = await ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^even .* none$/m);
  });

  it('ends with 1 when nothing succeeded', async () => {
    const target = await serve((_, response) => response.writeHead(503).end('{}'));

    const { stdout, code } = await load(...target, '--rate', '20', '--seconds', '0.2');

    expect(code).toBe(1);
    expect(stdout).toContain('503: 4');
  });

  it('ends with 1 and advice when no endpoint runs', async () => {
    const { stdout, stderr, code } = await load();

    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('start it with npm start, or give --url and --endpoint');
    expect(stderr).not.toContain('Usage');
  });

  it.each([
    [['--pattern', 'odd'], '--pattern must be even'],
    [
      ['--pattern', 'few', '--models', '10', '--url', 'http://127.0.0.1:9', '--endpoint', 'e'],
      '--pattern few needs 11 models or more, but there are 10',
    ],
  ])('ends with 2 and the usage for %j', async (args, message) => {
    const { stdout, stderr, code } = await load(...args);

    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(message);
    expect(stderr).toContain('Usage: npm run load');
  });

  it('shows its help', async () => {
    const { stdout, code } = await load('--help');

    expect(code).toBe(0);
    expect(stdout).toContain('Usage: npm run load');
  });
});
