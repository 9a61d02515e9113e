import { ServingError } from '../errors.ts';

/** Element types of ONNX tensors that can cross the wire, named as onnxruntime names them. */
export type TensorType =
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'bool'
  | 'string';

/** Row-major elements; `bool` is one byte per element (0 or 1). */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float16Array
  | readonly string[];

export interface Tensor {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly data: TensorData;
  /** What the columns (the last dimension) stand for, where the model knows: the classes of a classifier. */
  readonly labels?: readonly string[];
}

/** What a model declares of an input or output; a dimension that may vary from call to call is `undefined`. */
export interface TensorSpec {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly (number | undefined)[];
  /** See `Tensor`. */
  readonly labels?: readonly string[];
}

/** One value of JSON, or bytes: what models of code take and give that declare no tensors. */
export interface Document {
  readonly document: unknown;
}

/** What goes into a model, and what comes out. */
export type Value = readonly Tensor[] | Document;

/** What a model may know of the call it is run for. */
export interface RunContext {
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  /** How long the caller still waits, in milliseconds. */
  readonly remainingMs: number;
  /** The models of the endpoint that are running for this call, outermost first. */
  readonly callers: readonly string[];
  /** What the client sent beside its input, in words of its own. */
  readonly customAttributes?: string;
  /** Takes what the model says beside its answer. */
  readonly onCustomAttributes?: (text: string) => void;
}

/** A model in memory. `sizeBytes` is what it is charged against the memory bound. */
export interface LoadedModel extends AsyncDisposable {
  /** `undefined`: it takes a document. */
  readonly inputs: readonly TensorSpec[] | undefined;
  /** `undefined`: it gives what it likes, tensors or a document. */
  readonly outputs: readonly TensorSpec[] | undefined;
  readonly sizeBytes: number;
  /** True when the folder it was loaded from must stay as long as the model is open. */
  readonly needsFolder: boolean;
  /**
   * Runs the model once. Tensors must already fit `inputs` (the codecs see to that).
   * @throws ServingError ModelError when the model itself fails.
   */
  run(input: Value, context: RunContext): Promise<Value>;
}

/** A model that another one runs; every lease must be disposed of. */
export interface ModelLease extends AsyncDisposable {
  readonly model: LoadedModel;
  /** How long it was waited for, where it had to be loaded, in milliseconds. */
  readonly waitedMs?: number;
}

export interface LoadContext {
  /** Bytes of all files of the artifact. */
  readonly filesBytes: number;
  /** The one file to open, where a part of a workflow names it; else the engine finds it. */
  readonly file?: string;
  /** serving.properties, `option.` keys included. */
  readonly properties: ReadonlyMap<string, string>;
  /**
   * Opens another model of the endpoint.
   * @throws ServingError ModelError when that would wait for this very load.
   */
  openModel(name: string): Promise<ModelLease>;
}

/** Port. One per framework; each is imported only when a model first needs it. */
export interface Engine {
  /**
   * Opens the unpacked artifact in `directory`.
   * @throws ServingError ModelError when the file is not a model this engine can open.
   */
  load(directory: string, context: LoadContext): Promise<LoadedModel>;
}

/** @throws ServingError ModelError for a document: the model wants tensors. */
export const tensorsOf = (value: Value): readonly Tensor[] => {
  if (!('document' in value)) return value;
  throw new ServingError(
    'ModelError',
    'the model takes tensors, but the step before it gave a JSON value: declare its outputs',
  );
};
