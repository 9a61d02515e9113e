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
  | readonly string[];

export interface Tensor {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** What a model declares of an input or output; a dimension that may vary from call to call is `undefined`. */
export interface TensorSpec {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly (number | undefined)[];
}

/** A model in memory. `sizeBytes` is what it is charged against the memory bound. */
export interface LoadedModel extends AsyncDisposable {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly sizeBytes: number;
  /**
   * Runs the model once. The inputs must already fit `inputs` (the codecs see to that).
   * @throws ServingError ModelError when the model itself fails.
   */
  run(inputs: readonly Tensor[]): Promise<readonly Tensor[]>;
}

/** Port. One per framework; each is imported only when a model first needs it. */
export interface Engine {
  /**
   * Opens the unpacked artifact in `directory`.
   * @throws ServingError ModelError when the file is not a model this engine can open.
   */
  load(directory: string): Promise<LoadedModel>;
}
