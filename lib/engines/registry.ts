import { readdir } from 'node:fs/promises';
import { ServingError } from '../errors.ts';
import type { Engine, LoadedModel } from './engine.ts';

/** Files of Python models, which no engine here runs. */
const PYTHON = /^(model\.py|.*\.(joblib|pkl|pickle))$/;

/** Opens an unpacked artifact with the engine that its files ask for; an engine is imported when first needed. */
export const engineRegistry: Engine = {
  async load(directory): Promise<LoadedModel> {
    const files = await readdir(directory);
    if (files.some((name) => name.endsWith('.onnx'))) {
      const { onnxEngine } = await import('./onnx.ts');
      return onnxEngine.load(directory);
    }

    const python = files.find((name) => PYTHON.test(name));
    if (python !== undefined) {
      throw new ServingError(
        'ModelError',
        `the artifact holds ${python}, and Python models are not run here: export the model to ONNX with skl2onnx (examples/sklearn shows how) and pack it as model.onnx`,
      );
    }
    throw new ServingError(
      'ModelError',
      `the artifact should have model.onnx at its root, but has ${files.slice(0, 5).sort().join(', ') || 'no files'}`,
    );
  },
};

/** Loads the runtime that most models need. */
export const warmUp = async (): Promise<void> => {
  const { loadOnnxRuntime } = await import('./onnx.ts');
  loadOnnxRuntime();
};
