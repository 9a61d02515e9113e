import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUNCTIONS } from '../../deploy/inputs.ts';
import { packageDeployment } from '../../local/deployment/packaging.ts';

const KIB = 1024;

/** What a start reads and keeps is paid for by every cold call: with a little room, as they are (bench/README.md). */
const MOST_BYTES: Readonly<Record<string, { readonly handler: number; readonly all: number }>> = {
  router: { handler: 100 * KIB, all: 120 * KIB },
  inference: { handler: 100 * KIB, all: 300 * KIB },
  async: { handler: 60 * KIB, all: 80 * KIB },
  catalog: { handler: 50 * KIB, all: 70 * KIB },
  management: { handler: 700 * KIB, all: 1050 * KIB },
  scaler: { handler: 200 * KIB, all: 550 * KIB },
};

let directory: string;
let code: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bundles-'));
  code = (await packageDeployment(directory, [], () => undefined)).codeDirectory;
}, 150_000);
afterAll(() => rm(directory, { recursive: true }));

const filesOf = async (name: string): Promise<ReadonlyMap<string, string>> => {
  const folder = join(code, 'dist', name);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.mjs'));
  return new Map(
    await Promise.all(files.map(async (file) => [file, await readFile(join(folder, file), 'utf8')] as const)),
  );
};

describe.each(FUNCTIONS)('the bundle of %s', (name) => {
  it('is no larger than it was', async () => {
    const files = await filesOf(name);
    const most = MOST_BYTES[name];
    expect(most).toBeDefined();
    expect(Buffer.byteLength(files.get('handler.mjs') ?? '')).toBeLessThan(most?.handler ?? 0);
    expect([...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0)).toBeLessThan(
      most?.all ?? 0,
    );
  });

  it('has the AWS SDK only where calls are seldom, no tests, and source maps are kept aside', async () => {
    const all = [...(await filesOf(name)).values()].join('\n');
    expect(/aws-sdk\/|@smithy\//.test(all)).toBe(['management', 'scaler'].includes(name));
    expect(all.includes('sourceMappingURL')).toBe(false);
    expect(/from\s*"vitest"/.test(all)).toBe(false);
  });
});
