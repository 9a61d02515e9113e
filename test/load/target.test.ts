import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLocalTarget, remoteTarget } from '../../load/target.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'load-'));
});
afterEach(() => rm(directory, { recursive: true }));

const write = (name: string, value: unknown): Promise<void> =>
  writeFile(join(directory, name), JSON.stringify(value));

describe('the endpoint of this machine', () => {
  it('is read from its folder, with the number of its models', async () => {
    await write('endpoint.json', { url: 'http://127.0.0.1:3001', endpointName: 'e', apiKey: 'k' });
    await write('seed.json', { models: 50 });

    expect(await readLocalTarget(directory)).toEqual({
      invocations: new URL('http://127.0.0.1:3001/endpoints/e/invocations'),
      models: 50,
      headers: { 'x-api-key': 'k' },
    });
  });

  it('that does not run gets advice', async () => {
    await expect(readLocalTarget(directory)).rejects.toThrow(
      'endpoint.json is not there: start it with npm start, or give --url and --endpoint',
    );
  });

  it('is not taken from a file that names another machine', async () => {
    await write('endpoint.json', { url: 'http://192.0.2.1:3000', endpointName: 'e' });

    await expect(readLocalTarget(directory)).rejects.toThrow('192.0.2.1, not 127.0.0.1');
  });
});

describe('another endpoint', () => {
  it.each([
    ['http://127.0.0.1:9', 'http://127.0.0.1:9/endpoints/a%20b/invocations'],
    ['https://a.example/dev/', 'https://a.example/dev/endpoints/a%20b/invocations'],
  ])('at %s is called at %s', (url, invocations) => {
    expect(remoteTarget({ url, endpointName: 'a b' }, undefined).invocations.href).toBe(invocations);
  });
});
