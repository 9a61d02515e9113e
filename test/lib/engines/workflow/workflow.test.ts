import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LoadedModel, type ModelLease, tensorsOf, type Value } from '../../../../lib/engines/engine.ts';
import { createEngineRegistry } from '../../../../lib/engines/registry.ts';
import { ServingError } from '../../../../lib/errors.ts';
import { linearModel } from '../../../fixtures/onnx-model.ts';
import { loadContext, runContext } from '../../../fixtures/run-context.ts';
import { scratchFolder } from '../../../fixtures/scratch.ts';

const scratch = scratchFolder();
const registry = createEngineRegistry({ allowCustomCode: true, now: () => performance.now() });

type Files = Readonly<Record<string, string | Uint8Array>>;

const load = async (
  workflow: unknown,
  files: Files,
  openModel = loadContext().openModel,
): Promise<LoadedModel> => {
  for (const [path, content] of Object.entries({ ...files, 'workflow.json': JSON.stringify(workflow) })) {
    await mkdir(dirname(join(scratch.path, path)), { recursive: true });
    await writeFile(join(scratch.path, path), content);
  }
  return registry.load(scratch.path, loadContext({ filesBytes: 5000, openModel }));
};

const x = (...rows: readonly number[]) => [
  { name: 'x', type: 'float32' as const, shape: [rows.length / 2, 2], data: Float32Array.from(rows) },
];
const numbers = (value: Value): readonly number[] => Array.from(tensorsOf(value)[0]?.data as Float32Array);

/** y = x0 + x1 + bias */
const plus = (bias: number): Uint8Array => linearModel([1, 1], bias);

/** A model of the endpoint that is not a file, and counts what is done with it. */
const remote = (overrides: Partial<LoadedModel> = {}) => {
  const seen = { opened: 0, released: 0, callers: [] as (readonly string[])[] };
  const model: LoadedModel = {
    inputs: [{ name: 'x', type: 'float32', shape: [undefined, 2] }],
    outputs: [{ name: 'y', type: 'float32', shape: [undefined, 1] }],
    sizeBytes: 1,
    needsFolder: false,
    run: async (_, context) => {
      seen.callers.push(context.callers);
      return [{ name: 'y', type: 'float32', shape: [1, 1], data: Float32Array.of(100) }];
    },
    [Symbol.asyncDispose]: async () => undefined,
    ...overrides,
  };
  const openModel = async (): Promise<ModelLease> => {
    seen.opened += 1;
    return {
      model,
      [Symbol.asyncDispose]: async () => {
        seen.released += 1;
      },
    };
  };
  return { seen, openModel };
};

describe('a workflow', () => {
  it('is the mean of two models of its archive', async () => {
    const parts = { 'a.onnx': plus(1), 'folder/model.onnx': plus(3) };

    await using model = await load(
      { models: { a: 'a.onnx', b: 'folder' }, workflow: { out: ['ensemble', ['a', 'in'], ['b', 'in']] } },
      parts,
    );

    expect(model.inputs).toEqual([{ name: 'x', type: 'float32', shape: [undefined, 2] }]);
    expect(model.outputs).toEqual([{ name: 'y', type: 'float32', shape: [undefined, 1] }]);
    expect(model.sizeBytes).toBe(5000 + 2 * 128 * 1024);
    expect(numbers(await model.run(x(10, 20, 0, 0), runContext()))).toEqual([32, 2]);
  });

  it('leads from one model through code to the next', async () => {
    const twice = `
      export const inputs = [{ name: 'y', type: 'float32', shape: [null, 1] }];
      export const outputs = [{ name: 'x', type: 'float32', shape: [null, 2] }];
      export const handle = ({ y }) => ({ x: { type: 'float32', shape: [y.shape[0], 2], data: Float32Array.from([...y.data].flatMap((v) => [v, v])) } });
    `;
    await using model = await load(
      {
        models: { first: 'a.onnx', second: 'b.onnx' },
        functions: { pair: 'pair/model.mjs' },
        workflow: { scored: ['first', 'in'], out: ['second', ['pair', 'scored']] },
      },
      { 'a.onnx': plus(1), 'b.onnx': plus(5), 'pair/model.mjs': twice },
    );

    expect(model.needsFolder).toBe(true);
    expect(numbers(await model.run(x(1, 1), runContext()))).toEqual([11]);
  });

  it('gives code that declares nothing a document, and takes its answer as one', async () => {
    await using model = await load(
      { models: { a: 'a.onnx', name: 'model.mjs' }, workflow: { out: ['name', ['a', 'in'], ['a', 'in']] } },
      {
        'a.onnx': plus(1),
        'model.mjs': 'export const handle = (answers) => answers.map(({ y }) => [...y.data]);',
      },
    );

    expect(await model.run(x(1, 1), runContext())).toEqual({ document: [[3], [3]] });
  });

  it('computes a value once, however often it is needed', async () => {
    const { seen, openModel } = remote();

    await using model = await load(
      {
        models: { m: 'other.tar.gz' },
        workflow: { once: ['m', 'in'], out: ['ensemble', 'once', 'once', ['id', 'once']] },
      },
      {},
      openModel,
    );

    expect(numbers(await model.run(x(0, 0), runContext()))).toEqual([100]);
    expect(seen.callers).toHaveLength(1);
  });

  it('opens other models of the endpoint when they are called, and lets go of them', async () => {
    const { seen, openModel } = remote();
    await using model = await load(
      { models: { m: 'other.tar.gz' }, workflow: { out: ['m', 'in'] } },
      {},
      openModel,
    );
    expect(seen).toMatchObject({ opened: 1, released: 1 });

    await model.run(x(0, 0), runContext({ callers: ['this.tar.gz'] }));

    expect(seen).toMatchObject({ opened: 2, released: 2, callers: [['this.tar.gz', 'other.tar.gz']] });
  });

  it('runs at the same time what does not wait for each other', async () => {
    const gate = Promise.withResolvers<void>();
    let running = 0;
    const { openModel } = remote({
      run: async () => {
        running += 1;
        if (running === 2) gate.resolve();
        await gate.promise;
        return [{ name: 'y', type: 'float32', shape: [1, 1], data: Float32Array.of(1) }];
      },
    });
    await using model = await load(
      { models: { m: 'm.tar.gz' }, workflow: { out: ['ensemble', ['m', 'in'], ['m', ['id', 'in']]] } },
      {},
      openModel,
    );

    expect(numbers(await model.run(x(0, 0), runContext()))).toEqual([1]);
  });

  it('fails only when nothing of it runs any more', async () => {
    const slow = Promise.withResolvers<Value>();
    const order: string[] = [];
    const runs = [
      () => Promise.reject(new ServingError('ModelError', 'first failed')),
      () => slow.promise.finally(() => order.push('slow ended')),
    ];
    const { seen, openModel } = remote({
      run: () => runs.shift()?.() ?? Promise.reject(new Error('no more')),
    });
    await using model = await load(
      { models: { m: 'm.tar.gz' }, workflow: { out: ['ensemble', ['m', 'in'], ['m', ['id', 'in']]] } },
      {},
      openModel,
    );

    const failed = model.run(x(0, 0), runContext()).catch((error: unknown) => order.push(String(error)));
    await new Promise((resolve) => setImmediate(resolve));
    slow.resolve([]);
    await failed;

    expect(order).toEqual(['slow ended', 'ServingError: workflow: step m: first failed']);
    expect(seen.opened).toBe(seen.released);
  });
});

describe('a workflow that cannot work', () => {
  const missing = () => Promise.reject(new ServingError('ValidationError', 'model "none.tar.gz" not found'));

  it.each<[string, unknown, Files, string]>([
    [
      'a part that is nowhere',
      { models: { m: 'none.tar.gz' }, workflow: { out: ['m', 'in'] } },
      {},
      'names "none.tar.gz", which is neither a file of the archive nor a model of this endpoint',
    ],
    [
      'a part that is no model',
      { models: { m: 'readme' }, workflow: { out: ['m', 'in'] } },
      { readme: 'x' },
      '"readme" should be a .onnx file, a model.mjs, or a folder with a model',
    ],
    [
      'a part that does not open',
      { models: { m: 'a.onnx' }, workflow: { out: ['m', 'in'] } },
      { 'a.onnx': 'junk' },
      'onnxruntime cannot open the model',
    ],
    [
      'a request that goes nowhere',
      { models: { m: 'a.onnx' }, workflow: { out: ['ensemble', 'in'] } },
      { 'a.onnx': plus(1) },
      'gives "in" to no model',
    ],
    [
      'a request of two shapes',
      { models: { a: 'a.onnx', b: 'b.onnx' }, workflow: { out: ['ensemble', ['a', 'in'], ['b', 'in']] } },
      { 'a.onnx': plus(1), 'b.onnx': linearModel([1, 2, 3], 0) },
      'takes another x than the one before: float32[any, 3], not float32[any, 2]',
    ],
    [
      'a request of two kinds',
      { models: { a: 'a.onnx', b: 'model.mjs' }, workflow: { out: ['ensemble', ['a', 'in'], ['b', 'in']] } },
      { 'a.onnx': plus(1), 'model.mjs': 'export const handle = () => 1;' },
      'which does not declare its inputs',
    ],
    [
      'a workflow within itself',
      { models: { m: '.' }, workflow: { out: ['m', 'in'] } },
      {},
      'should be a path within the archive',
    ],
  ])('is refused when it is opened: %s', async (_, workflow, files, message) => {
    await expect(load(workflow, files, missing)).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringContaining(message),
    });
  });

  it.each<[string, Partial<LoadedModel>, string]>([
    [
      'another rank',
      { run: async () => [{ name: 'y', type: 'float32', shape: [2], data: new Float32Array(2) }] },
      'step a takes x with the shape [any, 2], but y has [2]',
    ],
    [
      'another type',
      { run: async () => [{ name: 'y', type: 'int64', shape: [1, 2], data: new BigInt64Array(2) }] },
      'step a takes x as float32, but y is int64',
    ],
    [
      'more outputs than inputs',
      {
        run: async () => [
          { name: 'p', type: 'float32', shape: [], data: new Float32Array(1) },
          { name: 'q', type: 'float32', shape: [], data: new Float32Array(1) },
        ],
      },
      'step a takes x, but was given p, q',
    ],
    [
      'a document',
      { run: async () => ({ document: 1 }) },
      'step a takes tensors, but the step before it gave a JSON value',
    ],
  ])('says which step does not fit: %s', async (_, overrides, message) => {
    const { openModel } = remote(overrides);
    await using model = await load(
      { models: { m: 'm.tar.gz', a: 'a.onnx' }, workflow: { out: ['a', ['m', 'in']] } },
      { 'a.onnx': plus(1) },
      openModel,
    );

    await expect(model.run(x(1, 1), runContext())).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringContaining(message),
    });
  });

  it('ends where models call each other without end', async () => {
    const { openModel } = remote();
    await using model = await load(
      { models: { m: 'a.tar.gz' }, workflow: { out: ['m', 'in'] } },
      {},
      openModel,
    );

    await expect(model.run(x(0, 0), runContext({ callers: ['a.tar.gz', 'b.tar.gz'] }))).rejects.toThrow(
      'workflows call each other without end: a.tar.gz -> b.tar.gz -> a.tar.gz',
    );
  });
});
