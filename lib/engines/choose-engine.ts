import { ServingError } from '../errors.ts';

export type EngineName = 'onnx' | 'javascript' | 'workflow';

/** Files of Python models, which no engine here runs. */
const PYTHON = /^(model\.py|.*\.(joblib|pkl|pickle))$/;

/** Models of other frameworks, by how SageMaker's containers name them. */
const FOREIGN =
  /^(saved_model\.pb|xgboost-model|.*\.(pt|pth|h5|keras|pb|tflite|params|safetensors|ubj|cbm))$/;

/** DJL's names of the engines that are here (serving.properties, `engine`). */
const DECLARED: ReadonlyMap<string, EngineName> = new Map([
  ['onnxruntime', 'onnx'],
  ['javascript', 'javascript'],
  ['workflow', 'workflow'],
]);

/**
 * Which engine an artifact is for: workflow.json before model.mjs before .onnx, as the former use the latter. Pure.
 * @param files names at the root of the artifact
 * @param declared `engine` of serving.properties
 * @throws ServingError ModelError for an artifact without a model, for Python, and for one that is not what it declares.
 */
export const chooseEngine = (files: readonly string[], declared: string | undefined): EngineName => {
  const found = findEngine(files);
  const wanted = declared === undefined ? found : DECLARED.get(declared.toLowerCase());
  if (declared !== undefined && wanted === undefined) throw unknownEngine(declared);
  if (found !== undefined && wanted === found) return found;
  if (found !== undefined) {
    throw modelError(
      `serving.properties says engine=${declared}, but its files are for ${found}: leave the line out, or pack the other files`,
    );
  }

  const python = files.find((name) => PYTHON.test(name));
  if (python !== undefined) {
    throw modelError(
      `the artifact holds ${python}, and Python models are not run here: export the model to ONNX with skl2onnx (examples/sklearn shows how) and pack it as model.onnx`,
    );
  }
  const foreign = files.find((name) => FOREIGN.test(name));
  if (foreign !== undefined) {
    throw modelError(
      `the artifact holds ${foreign}, which no engine here opens: export the model to ONNX and pack it as model.onnx`,
    );
  }
  const shown = files.slice(0, 5).sort().join(', ') || 'no files';
  throw modelError(
    `the artifact should have model.onnx, model.mjs or workflow.json at its root, but has ${shown}; pack it from inside its folder, for example with tar czf model.tar.gz -C folder .`,
  );
};

const findEngine = (files: readonly string[]): EngineName | undefined => {
  if (files.includes('workflow.json')) return 'workflow';
  if (files.includes('model.mjs')) return 'javascript';
  return files.some((name) => name.endsWith('.onnx') && !name.startsWith('.')) ? 'onnx' : undefined;
};

const unknownEngine = (declared: string): ServingError =>
  modelError(
    `serving.properties says engine=${JSON.stringify(declared.slice(0, 60)).slice(1, -1)}, which is not run here: export the model to ONNX (for scikit-learn with skl2onnx, examples/sklearn) and say engine=OnnxRuntime, or leave the line out`,
  );

const modelError = (message: string): ServingError => new ServingError('ModelError', message);
