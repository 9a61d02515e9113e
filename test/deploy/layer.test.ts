import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../deploy/inputs.ts';
import { buildOnnxruntimeLayer } from '../../layers/onnxruntime/build.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'layer-'));
});
afterAll(() => rm(directory, { recursive: true }));

const checksums = async (change: (text: string) => string): Promise<string> => {
  const text = await readFile(join(ROOT, 'layers/onnxruntime/checksums.json'), 'utf8');
  const file = join(directory, 'checksums.json');
  await writeFile(file, change(text));
  return file;
};

describe('the onnxruntime layer', () => {
  it.each([
    ['x86_64', 'x64', 'arm64'],
    ['arm64', 'arm64', 'x64'],
  ] as const)(
    'for %s has its binaries, and nothing of other platforms or for types',
    async (architecture, own, other) => {
      const layer = join(directory, architecture);
      await buildOnnxruntimeLayer(layer, architecture);

      const files = (await readdir(layer, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(layer.length + 1));
      const runtime = join('nodejs', 'node_modules', 'onnxruntime-node');
      expect(files).toContain(join(runtime, 'bin', 'napi-v6', 'linux', own, 'onnxruntime_binding.node'));
      expect(files).toContain(join('nodejs', 'node_modules', 'onnxruntime-common', 'package.json'));
      expect(
        files.filter((file) => /\.(map|d\.ts)$|darwin|win32/.test(file) || file.includes(`/${other}/`)),
      ).toEqual([]);
    },
  );

  it('is not made of a binary that nobody has reviewed', async () => {
    const file = await checksums((text) => text.replace(/"[0-9a-f]{64}"/, `"${'0'.repeat(64)}"`));
    await expect(buildOnnxruntimeLayer(join(directory, 'bad'), 'x86_64', file)).rejects.toThrow(
      /has SHA-256 [0-9a-f]{64}, and should have 0{64}.*run npm ci/,
    );
  });

  it('is not made of another version than was reviewed', async () => {
    const file = await checksums((text) => text.replace(/"version": "[^"]+"/, '"version": "0.0.1"'));
    await expect(buildOnnxruntimeLayer(join(directory, 'old'), 'x86_64', file)).rejects.toThrow(
      /is installed, and .*checksums.json is for 0\.0\.1/,
    );
  });
});
