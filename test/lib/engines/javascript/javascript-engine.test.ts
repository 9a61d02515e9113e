import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type TensorData, type TensorType, tensorsOf } from '../../../../lib/engines/engine.ts';
import { createOnnxEngine } from '../../../../lib/engines/onnx/onnx.ts';
import { engineContract } from '../../../contract/engine.contract.ts';
import { fakeEngine, fakeModel } from '../../../fakes/fake-engine.ts';
import { linearModel } from '../../../fixtures/onnx-model.ts';
import { loadContext, runContext } from '../../../fixtures/run-context.ts';
import { artifacts, document, ECHO, engineWith, floats, LINEAR } from './harness.ts';

engineContract('javascript', { engine: engineWith(), file: { name: 'model.mjs', content: LINEAR } });

const { load } = artifacts();
const IDENTITY = `
  export const inputs = [{ name: 'x', type: 'float32', shape: [null] }];
  export const outputs = [{ name: 'y', type: 'float32', shape: [null] }];
  export const handle = ({ x }) => ({ y: x });
`;

const VALUES: Readonly<Record<TensorType, TensorData>> = {
  float32: Float32Array.of(0.1, -1e30, Number.NaN, Number.POSITIVE_INFINITY),
  float64: Float64Array.of(0.1, -1e300, Number.NaN, Number.NEGATIVE_INFINITY),
  float16: Float16Array.of(0.1, -6e4, Number.NaN, 0),
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

describe('tensors', () => {
  it('carries every type there and back', async () => {
    const entries = Object.entries(VALUES) as [TensorType, TensorData][];
    const specs = JSON.stringify(entries.map(([type]) => ({ name: type, type, shape: [null] })));
    await using model = await load(`
      export const inputs = ${specs};
      export const outputs = ${specs};
      export const handle = (tensors) => tensors;
    `);
    const tensors = entries.map(([type, data]) => ({ name: type, type, shape: [4], data }));

    expect(await model.run(tensors, runContext())).toEqual(tensors);
  });

  it('leaves the data of its caller alone, large or a view of something larger', async () => {
    await using model = await load(IDENTITY);
    const data = new Float32Array(new ArrayBuffer(400_008), 4, 100_000).fill(7);

    const [y] = tensorsOf(
      await model.run([{ name: 'x', type: 'float32', shape: [100_000], data }], runContext()),
    );

    expect(data).toHaveLength(100_000);
    expect(y?.data).toEqual(data);
  });

  it('answers with a view of memory that the handler keeps, twice', async () => {
    await using model = await load(`
      const memory = new WebAssembly.Memory({ initial: 16 });
      const kept = new Float32Array(memory.buffer, 8, 20_000).fill(5);
      export const outputs = [{ name: 'y', type: 'float32', shape: [20_000] }];
      export const handle = () => ({ y: { type: 'float32', shape: [20_000], data: kept } });
    `);

    for (const _ of [1, 2]) {
      expect(await model.run(document(null), runContext())).toEqual([
        floats('y', [20_000], Array<number>(20_000).fill(5)),
      ]);
    }
  });

  it('gives the labels that outputs declare along', async () => {
    await using model = await load(`
      export const outputs = [{ name: 'p', type: 'float32', shape: [2], labels: ['no', 'yes'] }];
      export const handle = () => ({ p: { type: 'float32', shape: [2], data: [0.25, 0.75] } });
    `);

    const outputs = await model.run(document(null), runContext());

    expect(outputs).toEqual([{ ...floats('p', [2], [0.25, 0.75]), labels: ['no', 'yes'] }]);
  });

  it('refuses a document where it exports inputs', async () => {
    await using model = await load(LINEAR);

    await expect(model.run(document({ x: [1, 2] }), runContext())).rejects.toMatchObject({
      code: 'ModelError',
    });
  });
});

describe('documents', () => {
  it('carries JSON there and back', async () => {
    await using model = await load(ECHO);

    for (const value of [null, 0.5, 'text', [], { a: [{ b: 'ü' }, null, true], ['__proto__']: 1 }]) {
      expect(await model.run(document(value), runContext())).toEqual({ document: value });
    }
  });

  it('carries bytes there and back, of a pool too', async () => {
    await using model = await load(ECHO);

    const answer = await model.run(document(Buffer.from('bytes')), runContext());

    expect(answer).toEqual({ document: Uint8Array.from(Buffer.from('bytes')) });
  });
});

describe('what model.mjs is given', () => {
  it('calls load once with the folder, before the first handle', async () => {
    await using model = await load(
      `
        import { readFileSync } from 'node:fs';
        let words, loads = 0;
        export const load = async (directory) => { loads += 1; words = readFileSync(directory + '/words', 'utf8'); };
        export const handle = () => ({ words, loads });
      `,
      { files: { words: 'hello' } },
    );

    await model.run(document(null), runContext());

    expect(await model.run(document(null), runContext())).toEqual({ document: { words: 'hello', loads: 1 } });
  });

  it('tells of the call, the properties and the time left', async () => {
    const context = loadContext({ properties: new Map([['option.threshold', '0.5']]) });
    await using model = await load(
      'export const handle = (_, { predict, setCustomAttributes, ...context }) => ({ ...context, predict: typeof predict });',
      { context, engine: engineWith({ now: () => 0 }) },
    );

    const answer = await model.run(document(null), runContext({ accept: 'text/csv', remainingMs: 1234 }));

    expect(answer).toEqual({
      document: {
        contentType: 'application/json',
        accept: 'text/csv',
        remainingMs: 1234,
        properties: { 'option.threshold': '0.5' },
        predict: 'function',
      },
    });
  });

  it('has what the client sent beside its input, and may send some back with the answer', async () => {
    await using model = await load(`
      export const handle = (text, context) => {
        context.setCustomAttributes(text ?? 'seen ' + context.customAttributes);
        return 1;
      };`);
    const said: string[] = [];
    const context = runContext({
      customAttributes: 'trace=7',
      onCustomAttributes: (text) => said.push(text),
    });

    await model.run(document(null), context);

    expect(said).toEqual(['seen trace=7']);
    await expect(model.run(document('ü'), context)).rejects.toThrow(/1 to 1,024 visible characters of ASCII/);
  });

  it('has no environment, no options and no way to the channel', async () => {
    await using model = await load(`
      import { workerData, parentPort } from 'node:worker_threads';
      export const handle = () => {
        parentPort.postMessage({ kind: 'answer', id: 1, payload: { json: '"forged"' } });
        return { env: process.env, workerData, execArgv: process.execArgv };
      };
    `);

    expect(await model.run(document(null), runContext())).toEqual({
      document: { env: {}, workerData: {}, execArgv: [] },
    });
  });
});

describe('predict', () => {
  const TWICE = `
    export const handle = async (rows, { predict }) => {
      const { y } = await predict({ x: { type: 'float32', shape: [rows.length / 2, 2], data: rows } });
      return { type: y.type, shape: y.shape, data: Array.from(y.data, (value) => 2 * value) };
    };
  `;

  it.each([
    ['the fake', fakeEngine(), fakeModel({ weights: [1, 2], bias: 3 })],
    ['onnxruntime', createOnnxEngine(), linearModel([1, 2], 3)],
  ])('runs the model.onnx beside it: %s', async (_, onnx, file) => {
    await using model = await load(TWICE, { engine: engineWith({ onnx }), files: { 'model.onnx': file } });

    expect(await model.run(document([1, 10, 0, 0]), runContext())).toEqual({
      document: { type: 'float32', shape: [2, 1], data: [48, 6] },
    });
  });

  it.each([
    ['{ z: 1 }', 'input z is not declared: there are x'],
    ['{}', 'input x should be {type, shape, data}, and is undefined'],
    [
      "{ x: { type: 'int64', shape: [1, 2], data: [1n, 2n] } }",
      'input x should be of the type float32, and is int64',
    ],
    [
      "{ x: { type: 'float32', shape: [1, 3], data: [1, 2, 3] } }",
      'input x should have the shape [?, 2], and has [1, 3]',
    ],
  ])('refuses %s with an ordinary error', async (inputs, message) => {
    await using model = await load(
      `export const handle = (_, { predict }) =>
         predict(${inputs}).then(() => 'ran', (error) => [error.constructor === Error, error.message]);`,
      { files: { 'model.onnx': fakeModel() } },
    );

    expect(await model.run(document(null), runContext())).toEqual({ document: [true, message] });
  });

  it('says where there is no model.onnx', async () => {
    await using model = await load('export const handle = (_, { predict }) => predict({});');

    await expect(model.run(document(null), runContext())).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringContaining(
        'predict needs a model.onnx beside model.mjs, and the artifact has none',
      ),
    });
  });

  it('ends with the call that it belongs to', async () => {
    await using model = await load(
      `let late;
       export const handle = async (step, { predict }) => {
         if (step === 'keep') { late = predict; return null; }
         return late({ x: { type: 'float32', shape: [1, 2], data: [1, 2] } }).catch(({ message }) => message);
       };`,
      { files: { 'model.onnx': fakeModel() } },
    );
    await model.run(document('keep'), runContext());

    expect(await model.run(document('use'), runContext())).toEqual({
      document: 'predict came after the answer',
    });
  });

  it('closes the model.onnx with the model, and where model.mjs cannot be loaded', async () => {
    const onnx = fakeEngine();
    const files = { 'model.onnx': fakeModel() };
    const model = await load(ECHO, { engine: engineWith({ onnx }), files });
    await model[Symbol.asyncDispose]();

    await expect(load('throw 1', { engine: engineWith({ onnx }), files })).rejects.toThrow('1');

    expect(onnx).toMatchObject({ opened: 2, closed: 2 });
  });
});

describe('a deployment', () => {
  it('runs no code where it is not allowed', async () => {
    const engine = engineWith({ allowCustomCode: false });

    await expect(load(ECHO, { engine })).rejects.toMatchObject({
      code: 'ModelError',
      message: expect.stringMatching(/custom code is off .* set the parameter allowCustomCode/),
    });
  });

  it('charges the thread, the files, and the model.onnx', async () => {
    await using small = await load(ECHO);
    await using large = await load(ECHO, { files: { weights: Buffer.alloc(1000) } });
    const onnx = fakeModel({ sizeBytes: 5_000_000 });
    await using both = await load(ECHO, { files: { 'model.onnx': onnx } });

    expect(large.sizeBytes - small.sizeBytes).toBe(1000);
    expect(both.sizeBytes - small.sizeBytes).toBe(5_000_000 - ECHO.length);
    expect(small.needsFolder).toBe(true);
  });

  it('gives nothing more once the model is closed', async () => {
    const model = await load(ECHO);
    await model[Symbol.asyncDispose]();

    await expect(model.run(document(1), runContext())).rejects.toMatchObject({ code: 'ModelError' });
  });
});

describe('a process', () => {
  it('prints what a model prints, and ends while a model is open and idle', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lambda-mme-test-'));
    await writeFile(
      join(folder, 'model.mjs'),
      "export const handle = () => { console.log('printed'); return 1; };",
    );
    const engine = new URL('../../../../lib/engines/javascript/javascript-engine.ts', import.meta.url);
    const main = `
      const { createJavaScriptEngine } = await import('${engine}');
      const limits = { heapMb: 64, externalMb: 64, loadMs: 5000, handleMs: 5000 };
      const engine = createJavaScriptEngine({ allowCustomCode: true, limits, now: () => performance.now() });
      const model = await engine.load('${folder}', { properties: new Map() });
      let isPrinted = false;
      const write = process.stdout.write.bind(process.stdout);
      process.stdout.write = (text) => { isPrinted = true; return write(text); };
      while (!isPrinted) await model.run({ document: null }, { remainingMs: 5000 });
    `;

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', main], {
      timeout: 10_000,
    });

    expect(stdout).toMatch(/^(printed\n)+$/);
    await rm(folder, { recursive: true });
  });
});

describe('an error that model.mjs calls a ValidationError', () => {
  it('is the caller’s to mend, in the words of the handler', async () => {
    await using model = await load(`export const handle = () => {
      throw Object.assign(new Error('send a number'), { name: 'ValidationError' });
    };`);

    await expect(model.run({ document: 'x' }, runContext())).rejects.toMatchObject({
      code: 'ValidationError',
      message: expect.stringMatching(/^send a number/),
    });
  });
});
