import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TensorData, TensorType } from '../../../../lib/engines/engine.ts';
import { createOnnxEngine } from '../../../../lib/engines/onnx/onnx.ts';
import { identityModel, linearModel, onnxModel } from '../../../fixtures/onnx-model.ts';
import { loadContext, runContext } from '../../../fixtures/run-context.ts';
import { scratchFolder } from '../../../fixtures/scratch.ts';

const scratch = scratchFolder();
const engine = createOnnxEngine();

const load = async (content: Uint8Array, name = 'model.onnx') => {
  await writeFile(join(scratch.path, name), content);
  return engine.load(scratch.path, loadContext());
};

const VALUES: Readonly<Record<TensorType, TensorData>> = {
  float16: Float16Array.of(0.1, -65504, Number.NaN, Number.POSITIVE_INFINITY),
  float32: Float32Array.of(0.1, -1e30, Number.NaN, Number.POSITIVE_INFINITY),
  float64: Float64Array.of(0.1, -1e300, Number.NaN, Number.NEGATIVE_INFINITY),
  int8: Int8Array.of(-128, 127, 0, 1),
  uint8: Uint8Array.of(0, 255, 1, 2),
  int16: Int16Array.of(-32768, 32767, 0, 1),
  uint16: Uint16Array.of(0, 65535, 1, 2),
  int32: Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, 1),
  uint32: Uint32Array.of(0, 2 ** 32 - 1, 1, 2),
  int64: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, 1n),
  uint64: BigUint64Array.of(0n, 2n ** 64n - 1n, 1n, 2n),
  bool: Uint8Array.of(0, 1, 1, 0),
  string: ['', 'a', 'ü€😀', 'line\nbreak'],
};

describe('createOnnxEngine', () => {
  it.each(Object.entries(VALUES) as [TensorType, TensorData][])(
    'carries %s there and back',
    async (type, data) => {
      await using model = await load(identityModel(type, ['rows', 2]));

      const outputs = await model.run([{ name: 'x', type, shape: [2, 2], data }], runContext());

      expect(model.inputs).toEqual([{ name: 'x', type, shape: [undefined, 2] }]);
      expect(outputs).toEqual([{ name: 'y', type, shape: [2, 2], data }]);
    },
  );

  it.each([
    [[3], [3]],
    [
      ['batch', 'length', 4],
      [undefined, undefined, 4],
    ],
    [[''], [undefined]],
    [[], []],
  ])('reads the declared shape %j', async (declared, shape) => {
    await using model = await load(identityModel('float32', declared));

    expect(model.inputs?.[0]?.shape).toEqual(shape);
  });

  it('opens the only .onnx file, whatever its name', async () => {
    await writeFile(join(scratch.path, '._churn.onnx'), "macOS's tar adds such files");

    await using model = await load(linearModel([1], 0), 'churn.onnx');

    expect(model.inputs).toHaveLength(1);
  });

  it('charges the files of the artifact, and what a session takes', async () => {
    await writeFile(join(scratch.path, 'model.onnx'), linearModel([1], 0));

    await using model = await engine.load(scratch.path, loadContext({ filesBytes: 5000 }));

    expect(model.sizeBytes).toBe(5000 + 128 * 1024);
  });

  it('does not choose between several .onnx files', async () => {
    await writeFile(join(scratch.path, 'a.onnx'), '');

    await expect(load(linearModel([1], 0), 'b.onnx')).rejects.toThrow(
      'the artifact has 2 .onnx files and none of them is model.onnx: name the one to serve model.onnx',
    );
  });
});

describe('a model that cannot be served', () => {
  const wrongOperator = onnxModel({
    inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['n'] }],
    nodes: [{ op: 'NoSuchOperator', inputs: ['x'], outputs: ['y'] }],
  });
  const sequence = onnxModel({
    inputs: [{ name: 'x', type: 'float32', shape: ['n'] }],
    outputs: [{ name: 'probabilities', type: 'float32', shape: ['n'], kind: 'sequence' }],
    nodes: [{ op: 'SequenceConstruct', inputs: ['x'], outputs: ['probabilities'] }],
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'half a file',
      linearModel([1, 2], 3).subarray(0, 80),
      /onnxruntime cannot open the model: .*Protobuf parsing failed/,
    ],
    ['an empty file', new Uint8Array(), /onnxruntime cannot open the model/],
    ['an operator that does not exist', wrongOperator, /No Op registered for NoSuchOperator/],
    [
      'a map or a sequence as output',
      sequence,
      /^an output is a map, a sequence or an optional value, not a tensor: let the graph give tensors/,
    ],
  ])('is refused: %s', async (_, content, message) => {
    const error: unknown = await load(content).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ code: 'ModelError', message: expect.stringMatching(message) });
    // No path of the worker, and no second line.
    expect((error as Error).message).not.toMatch(/\n|\/tmp|onnxruntime_src/);
  });

  it('fails on input that its operators do not take, in one line', async () => {
    await using model = await load(linearModel([1, 2], 3));
    const run = model.run(
      [{ name: 'x', type: 'float32', shape: [1, 4], data: new Float32Array(4) }],
      runContext(),
    );

    await expect(run).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringMatching(
        /^the model failed on this input: Got invalid dimensions for input: x .* Got: 4 Expected: 2/,
      ),
    });
    await expect(run).rejects.not.toThrow(/\n/);
  });

  it('cannot read files outside its folder as its weights', async () => {
    const outside = join(scratch.path, '..', 'secret');
    const inside = join(scratch.path, 'weights');
    await writeFile(inside, 'FINE');

    for (const location of ['../secret', outside, '/proc/self/environ', 'a/../../secret']) {
      await expect(load(onnxModel(withExternalWeight(location)))).rejects.toMatchObject({
        code: 'ModelError',
      });
    }
    await using model = await load(onnxModel(withExternalWeight('weights')));
    expect(await model.run([], runContext())).toMatchObject([{ data: Uint8Array.from(Buffer.from('FINE')) }]);
  });
});

const withExternalWeight = (externalLocation: string) => ({
  inputs: [],
  outputs: [{ name: 'y', type: 'uint8' as const, shape: [4] }],
  nodes: [{ op: 'Identity', inputs: ['w'], outputs: ['y'] }],
  weights: [{ name: 'w', shape: [4], values: [], type: 'uint8' as const, externalLocation }],
});
