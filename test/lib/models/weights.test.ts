import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { WeightStore } from '../../../lib/models/model-store.ts';
import { fetchWeights, parseModelId } from '../../../lib/models/weights.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';

const scratch = scratchFolder();
let announced: number;
const PREFIX = 's3://weights/models/';

const storeOf = (files: Readonly<Record<string, string>>): WeightStore => ({
  list: async () =>
    Object.entries(files).map(([path, text]) => ({
      path,
      sizeBytes: text.length,
      read: async () => ({
        etag: '"1"',
        sizeBytes: text.length,
        discard: () => undefined,
        body: (async function* () {
          yield Buffer.from(text);
        })(),
      }),
    })),
});

const fetch = (files: Readonly<Record<string, string>>, modelId = `${PREFIX}large/`): Promise<number> =>
  fetchWeights(modelId, scratch.path, {
    store: storeOf(files),
    allowedPrefixes: [PREFIX],
    limits: { maxUnpackedBytes: 100, maxEntries: 3 },
    addBytes: async (bytes) => {
      announced = bytes;
    },
  });

describe('fetchWeights', () => {
  it('puts what is there beside the files of the artifact', async () => {
    expect(await fetch({ 'model.onnx': 'graph', 'data/w0': 'weights' })).toBe(12);
    expect(announced).toBe(12);

    expect(await readFile(join(scratch.path, 'model.onnx'), 'utf8')).toBe('graph');
    expect(await readFile(join(scratch.path, 'data/w0'), 'utf8')).toBe('weights');
  });

  it.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ['nothing', {}, /names no object in S3: upload the weights there/],
    ['too much', { a: 'x'.repeat(101) }, /unpacks to more than 100 bytes/],
    ['too many files', { a: '', b: '', c: '', d: '' }, /more than 3 entries/],
    ['a name that climbs out', { '../evil': 'x' }, /leaves the archive/],
  ])('refuses %s', async (_, files, message) => {
    await expect(fetch(files)).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringMatching(message),
    });

    expect(await readdir(join(scratch.path, '..'))).not.toContain('evil');
  });

  it('overwrites no file of the artifact', async () => {
    await fetch({ 'model.onnx': 'first' });

    await expect(fetch({ 'model.onnx': 'second' })).rejects.toThrow('EEXIST');
  });
});

describe('parseModelId', () => {
  it('takes what is below a prefix, or is one that names a key', () => {
    expect(parseModelId('s3://weights/models/a/b.onnx', [PREFIX])).toEqual({
      bucket: 'weights',
      key: 'models/a/b.onnx',
    });
    expect(parseModelId('s3://w-1/one.onnx', ['s3://w-1/one.onnx'])).toEqual({
      bucket: 'w-1',
      key: 'one.onnx',
    });
  });

  it.each([
    ['s3://weights/models', 'is not below a prefix that this deployment allows (s3://weights/models/)'],
    ['s3://weights/models-of-others/x', 'is not below a prefix'],
    ['s3://other/models/x', 'is not below a prefix'],
    ['s3://weights/models/../secret', 'should be s3://bucket/key'],
    ['https://example.com/x', 'should be s3://bucket/key'],
    ['meta-llama/Llama-3', 'should be s3://bucket/key'],
    ['s3://weights/', 'should be s3://bucket/key'],
    ['s3://weights/models/\n', 'should be s3://bucket/key'],
  ])('refuses %j', (modelId, message) => {
    expect(() => parseModelId(modelId, [PREFIX])).toThrow(
      expect.objectContaining({ code: 'ModelError', message: expect.stringContaining(message) }),
    );
  });

  it('allows nothing by default', () => {
    expect(() => parseModelId('s3://weights/models/x', [])).toThrow(
      'allows (none): name it in weightsPrefixes',
    );
  });
});
