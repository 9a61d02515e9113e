import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tensorsOf } from '../../../../lib/engines/engine.ts';
import { createOnnxEngine } from '../../../../lib/engines/onnx/onnx.ts';
import { withoutZipMaps } from '../../../../lib/engines/onnx/zip-map.ts';
import { largestRelativeError } from '../../../fixtures/closeness.ts';
import { readExpected } from '../../../fixtures/expected.ts';
import { linearModel } from '../../../fixtures/onnx-model.ts';
import { loadContext, runContext } from '../../../fixtures/run-context.ts';
import { scratchFolder } from '../../../fixtures/scratch.ts';

/** The iris example as skl2onnx 1.20 exports it by default, with classes that are strings or integers. */
const readZipMapped = (classes: string): Promise<Uint8Array> =>
  readFile(join(import.meta.dirname, `../../../fixtures/iris-zipmap-${classes}.onnx`));

const scratch = scratchFolder();
const load = async (bytes: Uint8Array) => {
  await writeFile(join(scratch.path, 'model.onnx'), bytes);
  return createOnnxEngine().load(scratch.path, loadContext());
};

const CLASSES = {
  strings: ['setosa', 'versicolor', 'virginica'],
  integers: ['0', '1', '2'],
} as const;

describe.each(['strings', 'integers'] as const)('a classifier that ends in ZipMap, with %s', (classes) => {
  it('answers the matrix of probabilities under the name of the list of maps, and keeps the labels', async () => {
    await using model = await load(await readZipMapped(classes));
    const { inputs, outputs } = await readExpected('iris');
    const features = {
      name: 'features',
      type: 'float32' as const,
      shape: [inputs.length, 4],
      data: Float32Array.from(inputs.flat()),
    };

    const [label, probabilities] = tensorsOf(await model.run([features], runContext()));

    expect(model.outputs?.[1]).toEqual({
      name: 'output_probability',
      type: 'float32',
      shape: [undefined, 3],
      labels: CLASSES[classes],
    });
    expect(probabilities).toMatchObject({ shape: [inputs.length, 3], labels: CLASSES[classes] });
    const expected = (outputs['probabilities'] ?? []).flat();
    expect(largestRelativeError(Array.from(probabilities?.data as Float32Array), expected)).toBeLessThan(
      1e-5,
    );
    const named = (outputs['label'] ?? []).map((index) => CLASSES[classes][Number(index)]);
    expect(Array.from(label?.data as string[], String)).toEqual(named);
  });
});

describe('withoutZipMaps', () => {
  it('leaves a model alone that has none', () => {
    expect(withoutZipMaps(linearModel([1], 0))).toBeUndefined();
  });

  it('changes nothing but the nodes and the outputs', async () => {
    const original = await readZipMapped('strings');

    const edited = withoutZipMaps(original)?.bytes ?? new Uint8Array();

    expect(edited.length).toBeLessThan(original.length);
    expect(Buffer.from(edited).includes('ZipMap')).toBe(false);
    expect(withoutZipMaps(edited)).toBeUndefined();
  });

  it('leaves no file of its own in the folder', async () => {
    await using _model = await load(await readZipMapped('strings'));

    expect(await readdir(scratch.path)).toEqual(['model.onnx']);
  });

  it.each([
    ['cut off', (bytes: Uint8Array) => bytes.subarray(0, 200)],
    ['no protobuf', () => Buffer.from('no protobuf at all')],
  ])('throws for bytes that are %s', async (_, damage) => {
    const bytes = damage(await readZipMapped('strings'));

    expect(() => withoutZipMaps(bytes)).toThrow();
  });
});
