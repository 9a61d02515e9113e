import { type LoadedModel, type RunContext, type Tensor, type TensorSpec, tensorsOf } from '../engine.ts';
import { parseTensors } from './tensors.ts';

/** The model.onnx beside a model.mjs. It lives in the main thread: a thread that is killed must not take it along. */
export interface Predictor extends AsyncDisposable {
  readonly inputs: readonly TensorSpec[];
  /** @throws Error when the tensors are not what the model declares. */
  predict(tensors: readonly Tensor[], context: RunContext): Promise<readonly Tensor[]>;
}

export const createPredictor = (model: LoadedModel): Predictor => {
  const inputs = model.inputs ?? [];
  const running = new Set<Promise<unknown>>();
  let isClosed = false;
  return {
    inputs,
    async predict(tensors, context) {
      if (isClosed) throw new Error('the model is closed');
      const given = Object.fromEntries(tensors.map((tensor) => [tensor.name, tensor]));
      const run = model.run(parseTensors(inputs, given, 'input'), context);
      running.add(run);
      try {
        return tensorsOf(await run);
      } finally {
        running.delete(run);
      }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      // A native session is not released while it runs, though the thread that asked may be long gone.
      await Promise.allSettled(running);
      await model[Symbol.asyncDispose]();
    },
  };
};
