import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..', '..');

const sources = async (folder: string, ending: RegExp): Promise<readonly string[]> =>
  (await readdir(join(ROOT, folder), { recursive: true }))
    .filter((file) => ending.test(file))
    .map((file) => join(folder, file));

describe('DynamoDB', () => {
  it('is never scanned, and no role may: what a request costs must not grow with the table', async () => {
    const files = (
      await Promise.all([
        ...['lib', 'functions', 'cli'].map((folder) => sources(folder, /\.(ts|cjs)$/)),
        sources('deploy', /\.(ts|cjs|yml|json)$/),
      ])
    ).flat();
    const scans = await Promise.all(
      files.map(async (file) => [file, await readFile(join(ROOT, file), 'utf8')] as const),
    );

    expect(files.length).toBeGreaterThan(100);
    expect(scans.filter(([, text]) => SCAN.test(text)).map(([file]) => file)).toEqual([]);
  });

  it.each([
    'new ScanCommand({})',
    'dynamodb:Scan',
    "table.request('Scan', {})",
    'DynamoDB_20120810.Scan',
    'dynamodb:*',
    'paginateScan(',
  ])('would be seen to be scanned by %s', (text) => {
    expect(SCAN.test(text)).toBe(true);
  });
});

const SCAN = /ScanCommand|paginateScan|['".:]Scan\b|dynamodb:\*/;
