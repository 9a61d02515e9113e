import { readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { ServingError } from '../../errors.ts';
import {
  type Engine,
  type LoadedModel,
  type Tensor,
  type TensorData,
  type TensorSpec,
  type TensorType,
  tensorsOf,
} from '../engine.ts';
import { loadOnnxRuntime, oneLine } from './runtime.ts';
import { extraThreads, MAX_EXTRA_THREADS, sessionOptions } from './session-options.ts';
import { usualLevel } from './usual-level.ts';

/**
 * What a session takes beside its weights: 1,000 sessions grew the process by 41 to 50 KiB each for linear models and by 90 KiB for the small
 * neural network of examples/sklearn, and by 32 KiB more with all optimizations (`usualLevel`); weights took 1.0 times their bytes in the file
 * (onnxruntime-node 1.30, linux-x64, growth of RSS with the options of session-options.ts).
 */
const SESSION_OVERHEAD_BYTES = 128 * 1024;

const TYPES: ReadonlySet<string> = new Set<TensorType>([
  'float16',
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

type Labels = ReadonlyMap<string, readonly string[]>;

/** ONNX models by onnxruntime-node. Threads beyond the caller's own are counted over all sessions, and bounded. */
export const createOnnxEngine = (): Engine => {
  let threads = 0;

  const open = async (file: string, properties: ReadonlyMap<string, string>, filesBytes: number) => {
    const options = sessionOptions(properties, usualLevel(file, filesBytes));
    const extra = extraThreads(options);
    if (threads + extra > MAX_EXTRA_THREADS) throw tooManyThreads(extra, MAX_EXTRA_THREADS - threads);
    threads += extra;
    try {
      const session = await createSession(file, options);
      const release = async (): Promise<void> => {
        await session.release();
        threads -= extra;
      };
      return { session, release };
    } catch (error) {
      threads -= extra;
      throw error;
    }
  };

  return {
    async load(directory, { properties, filesBytes, file = '' }) {
      const path = file || join(directory, findModelFile(directory));
      // All files count: large models keep their weights in files beside model.onnx (ONNX external data).
      const sizeBytes = filesBytes + SESSION_OVERHEAD_BYTES;
      const opened = await open(path, properties, filesBytes);
      if (opened.session.outputMetadata.every(({ isTensor }) => isTensor)) {
        return loadedModel({ ...opened, labels: new Map(), sizeBytes });
      }
      await opened.release();
      return openWithoutMaps(path, sizeBytes, (edited) => open(edited, properties, filesBytes));
    },
  };
};

type Open = (file: string) => Promise<{ session: InferenceSession; release: () => Promise<void> }>;

/** The edited file lies beside, as large models name the files of their weights by paths that are relative to it. */
const openWithoutMaps = async (file: string, sizeBytes: number, open: Open): Promise<LoadedModel> => {
  const { withoutZipMaps } = await import('./zip-map.ts');
  const edited = withoutZipMaps(await readFile(file));
  if (edited === undefined) throw notATensor('an output');
  // A name that no entry of an archive can have taken, and that is not too long for the file system.
  const { randomUUID } = await import('node:crypto');
  const editedFile = join(dirname(file), `.${randomUUID()}`);
  try {
    await writeFile(editedFile, edited.bytes);
    return await loadedModel({ ...(await open(editedFile)), labels: edited.labels, sizeBytes });
  } finally {
    await rm(editedFile, { force: true });
  }
};

const findModelFile = (directory: string): string => {
  // macOS's tar packs a companion `._model.onnx` with extended attributes.
  const files = readdirSync(directory).filter((name) => name.endsWith('.onnx') && !name.startsWith('.'));
  if (files.includes('model.onnx')) return 'model.onnx';
  const [only] = files;
  if (files.length === 1 && only !== undefined) return only;
  throw new ServingError(
    'ModelError',
    `the artifact has ${files.length} .onnx files and none of them is model.onnx: name the one to serve model.onnx`,
  );
};

const createSession = async (
  file: string,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> => {
  // Outside the try: a runtime that is missing is a fault of the deployment, not of the model.
  const { InferenceSession } = loadOnnxRuntime();
  try {
    return await InferenceSession.create(file, options);
  } catch (cause) {
    throw new ServingError('ModelError', `onnxruntime cannot open the model: ${oneLine(cause)}`, { cause });
  }
};

const loadedModel = async (opened: {
  readonly session: InferenceSession;
  readonly release: () => Promise<void>;
  readonly labels: Labels;
  readonly sizeBytes: number;
}): Promise<LoadedModel> => {
  const { session, release, labels, sizeBytes } = opened;
  try {
    const inputs = describe(session.inputMetadata, 'input', new Map());
    const outputs = describe(session.outputMetadata, 'output', labels);
    return {
      inputs,
      outputs,
      sizeBytes,
      needsFolder: false,
      async run(input) {
        const answers = await runSession(session, tensorsOf(input));
        return outputs.map((spec) => fromOrt(spec, answers[spec.name]));
      },
      [Symbol.asyncDispose]: release,
    };
  } catch (error) {
    await release();
    throw error;
  }
};

const runSession = async (
  session: InferenceSession,
  tensors: readonly Tensor[],
): Promise<InferenceSession.ReturnType> => {
  const { Tensor: Ort } = loadOnnxRuntime();
  const feeds: Record<string, OrtTensor> = {};
  for (const { name, type, shape, data } of tensors) {
    // The data is of the type by construction; onnxruntime's overloads cannot express that.
    const feed = new Ort(type as 'float32', data as Float32Array, shape);
    // Its JavaScript half insists on Float16Array, of which its native half (1.30) sees no bytes: hand it the bits.
    if (data instanceof Float16Array) Object.defineProperty(feed, 'data', { value: bitsOf(data) });
    feeds[name] = feed;
  }
  try {
    return await session.run(feeds);
  } catch (cause) {
    throw new ServingError('ModelError', `the model failed on this input: ${oneLine(cause)}`, { cause });
  }
};

const bitsOf = (data: Float16Array): Uint16Array =>
  new Uint16Array(data.buffer, data.byteOffset, data.length);

const fromOrt = ({ name, labels }: TensorSpec, answer: OrtTensor | undefined): Tensor => {
  if (answer === undefined) throw new ServingError('ModelError', `the model gave no output ${name}`);
  return {
    name,
    type: parseType(answer.type, `output ${name}`),
    shape: answer.dims,
    data: answer.data as TensorData,
    ...(labels && { labels }),
  };
};

const describe = (
  metadata: readonly InferenceSession.ValueMetadata[],
  kind: string,
  labels: Labels,
): readonly TensorSpec[] =>
  metadata.map((value) => {
    if (!value.isTensor) throw notATensor(`${kind} ${value.name}`);
    const classes = labels.get(value.name);
    return {
      name: value.name,
      type: parseType(value.type, `${kind} ${value.name}`),
      shape: value.shape.map((dimension) =>
        typeof dimension === 'number' && dimension >= 0 ? dimension : undefined,
      ),
      ...(classes && { labels: classes }),
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
    `${where} is a map, a sequence or an optional value, not a tensor: let the graph give tensors (of these only the ZipMap of scikit-learn's classifiers is understood)`,
  );

const tooManyThreads = (asked: number, left: number): ServingError =>
  new ServingError(
    'ModelError',
    `serving.properties asks for ${asked} threads beside the caller's own, and the worker has ${left} of ${MAX_EXTRA_THREADS} left: lower option.intraOpNumThreads and option.interOpNumThreads`,
  );
