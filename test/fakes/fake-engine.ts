import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, type LoadedModel, type Tensor, tensorsOf } from '../../lib/engines/engine.ts';
import { ServingError } from '../../lib/errors.ts';

export interface FakeModel {
  readonly weights: readonly number[];
  readonly bias: number;
  readonly sizeBytes: number;
}

/** What the fake engine finds in `model.onnx`: a linear model, written as JSON. */
export const fakeModel = (overrides: Partial<FakeModel> = {}): string =>
  JSON.stringify({ weights: [1, 1], bias: 0, sizeBytes: 100, ...overrides });

/** The Engine port without a runtime, counting what it opened and closed. */
export const fakeEngine = (): Engine & { readonly opened: number; readonly closed: number } => {
  const counts = { opened: 0, closed: 0 };

  const open = ({ weights, bias, sizeBytes }: FakeModel): LoadedModel => {
    let isClosed = false;
    counts.opened += 1;
    return {
      inputs: [{ name: 'x', type: 'float32', shape: [undefined, weights.length] }],
      outputs: [{ name: 'y', type: 'float32', shape: [undefined, 1] }],
      sizeBytes,
      needsFolder: false,
      async run(input) {
        const [x] = tensorsOf(input);
        if (isClosed) throw new Error('the model is closed');
        return [predict(x, weights, bias)];
      },
      async [Symbol.asyncDispose]() {
        if (isClosed) throw new Error('the model is closed already');
        isClosed = true;
        counts.closed += 1;
      },
    };
  };

  return {
    async load(directory) {
      const text = await readFile(join(directory, 'model.onnx'), 'utf8').catch(() => '');
      if (!text.startsWith('{')) throw new ServingError('ModelError', 'the fake engine cannot open this');
      return open(JSON.parse(text) as FakeModel);
    },
    get opened() {
      return counts.opened;
    },
    get closed() {
      return counts.closed;
    },
  };
};

const predict = (x: Tensor | undefined, weights: readonly number[], bias: number): Tensor => {
  const rows = x?.shape[0] ?? 0;
  const answers = Array.from({ length: rows }, (_, row) =>
    weights.reduce(
      (sum, weight, column) => sum + weight * Number(x?.data[row * weights.length + column]),
      bias,
    ),
  );
  return { name: 'y', type: 'float32', shape: [rows, 1], data: Float32Array.from(answers) };
};
