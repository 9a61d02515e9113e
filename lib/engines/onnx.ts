import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { ServingError } from '../errors.ts';
import type { Engine, LoadedModel, Tensor, TensorData, TensorSpec, TensorType } from './engine.ts';

type Runtime = typeof import('onnxruntime-node');

/**
 * What a session takes beside its weights: 500 sessions grew the process by 75 to 87 KiB each for linear models and by
 * 129 KiB for the small neural network of examples/sklearn; weights took 1.0 times their bytes in the file
 * (onnxruntime-node 1.30, linux-x64, growth of RSS with SESSION_OPTIONS).
 */
const SESSION_OVERHEAD_BYTES = 128 * 1024;

/** Element types that come as they are. float16 comes as raw bits and has no typed array before Node 26. */
const TYPES: ReadonlySet<string> = new Set<TensorType>([
  'float32',
  'float64',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
  'string',
]);

/**
 * One thread a session: a pool each would meet Lambda's 1,024 threads near 1,000 models (microsoft/onnxruntime#23523),
 * and an environment serves one call at a time anyway. Without the arena an idle model keeps no scratch memory, and
 * without prepacking it keeps no second copy of its weights: a 4 MB matrix took 4.1 MB instead of 7.3 MB and opened in
 * 6 ms instead of 11 ms; one row ran as fast (75 against 90 us), 32 rows slower (1.1 against 0.8 ms).
 */
const SESSION_OPTIONS = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  enableCpuMemArena: false,
  extra: { session: { disable_prepacking: '1' } },
  logSeverityLevel: 3,
} as const satisfies InferenceSession.SessionOptions;

/**
 * onnxruntime comes from a Lambda layer, that is by NODE_PATH, which only CommonJS looks at. It is required when
 * the first model is opened: a start that needs no model does not pay for it.
 */
const require = createRequire(import.meta.url);
let loaded: Runtime | undefined;
export const loadOnnxRuntime = (): Runtime => {
  loaded ??= require('onnxruntime-node') as Runtime;
  return loaded;
};

export const onnxEngine: Engine = {
  async load(directory) {
    const file = join(directory, await findModelFile(directory));
    const sizeBytes = (await folderBytes(directory)) + SESSION_OVERHEAD_BYTES;
    const session = await openSession(file);
    try {
      const inputs = describe(session.inputMetadata, 'input');
      const outputs = describe(session.outputMetadata, 'output');
      return loadedModel({ session, inputs, outputs, sizeBytes });
    } catch (error) {
      await session.release();
      throw error;
    }
  },
};

/** All files count: large models keep their weights in files beside model.onnx (ONNX external data). */
const folderBytes = async (directory: string): Promise<number> => {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
};

const findModelFile = async (directory: string): Promise<string> => {
  // macOS's tar packs a companion `._model.onnx` with extended attributes.
  const files = (await readdir(directory)).filter((name) => name.endsWith('.onnx') && !name.startsWith('.'));
  if (files.includes('model.onnx')) return 'model.onnx';
  const [only] = files;
  if (files.length === 1 && only !== undefined) return only;
  throw new ServingError(
    'ModelError',
    `the artifact has ${files.length} .onnx files and none of them is model.onnx: name the one to serve model.onnx`,
  );
};

const openSession = async (file: string): Promise<InferenceSession> => {
  // Outside the try: a runtime that is missing is a fault of the deployment, not of the model.
  const { InferenceSession } = loadOnnxRuntime();
  try {
    return await InferenceSession.create(file, SESSION_OPTIONS);
  } catch (cause) {
    throw new ServingError('ModelError', `onnxruntime cannot open the model: ${oneLine(cause)}`, { cause });
  }
};

const loadedModel = (opened: {
  readonly session: InferenceSession;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly sizeBytes: number;
}): LoadedModel => {
  const { session, inputs, outputs, sizeBytes } = opened;
  return {
    inputs,
    outputs,
    sizeBytes,
    async run(tensors) {
      const answers = await runSession(session, tensors);
      return outputs.map(({ name }) => fromOrt(name, answers[name]));
    },
    async [Symbol.asyncDispose]() {
      await session.release();
    },
  };
};

const runSession = async (
  session: InferenceSession,
  tensors: readonly Tensor[],
): Promise<InferenceSession.ReturnType> => {
  const { Tensor: Ort } = loadOnnxRuntime();
  const feeds: Record<string, OrtTensor> = {};
  for (const { name, type, shape, data } of tensors) {
    // The data is of the type by construction; onnxruntime's overloads cannot express that.
    feeds[name] = new Ort(type as 'float32', data as Float32Array, shape);
  }
  try {
    return await session.run(feeds);
  } catch (cause) {
    throw new ServingError('ModelError', `the model failed on this input: ${explain(cause)}`, { cause });
  }
};

const fromOrt = (name: string, answer: OrtTensor | undefined): Tensor => {
  if (answer === undefined) throw new ServingError('ModelError', `the model gave no output ${name}`);
  return {
    name,
    type: parseType(answer.type, `output ${name}`),
    shape: answer.dims,
    data: answer.data as TensorData,
  };
};

const describe = (metadata: readonly InferenceSession.ValueMetadata[], kind: string): readonly TensorSpec[] =>
  metadata.map((value) => {
    if (!value.isTensor) throw notATensor(`${kind} ${value.name}`);
    return {
      name: value.name,
      type: parseType(value.type, `${kind} ${value.name}`),
      shape: value.shape.map((dimension) =>
        typeof dimension === 'number' && dimension >= 0 ? dimension : undefined,
      ),
    };
  });

const parseType = (type: string, where: string): TensorType => {
  if (TYPES.has(type)) return type as TensorType;
  throw new ServingError(
    'ModelError',
    `${where} has the element type ${type}, which is not supported: export with float32`,
  );
};

const notATensor = (where: string): ServingError =>
  new ServingError(
    'ModelError',
    `${where} is a map or a sequence, not a tensor: export with options={id(model): {"zipmap": False}} (skl2onnx)`,
  );

const explain = (cause: unknown): string =>
  oneLine(cause).startsWith('Non tensor type') ? notATensor('an output').message : oneLine(cause);

/** The runtime's own words without the paths of this machine and its source files. */
const oneLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause))
    .replaceAll(/\/[\w.@+/-]+/g, (path) => path.slice(path.lastIndexOf('/') + 1))
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300);
