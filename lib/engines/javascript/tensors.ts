import type { Tensor, TensorData, TensorSpec, TensorType } from '../engine.ts';

type NumericType = Exclude<TensorType, 'string'>;
type NumericData = Exclude<TensorData, readonly string[]>;

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies Record<NumericType, new (length: number) => NumericData>;

export const TENSOR_TYPES: readonly string[] = [...Object.keys(ARRAYS), 'string'];

export const isTensorType = (value: unknown): value is TensorType =>
  typeof value === 'string' && TENSOR_TYPES.includes(value);

/**
 * Reads tensors by name, as JavaScript code gives them, strictly against what was declared. Runs in the thread, where
 * it converts plain arrays, and once more in the main thread, which trusts nothing that comes from a thread.
 * @param kind what the caller knows them as, for the messages
 * @throws Error that names the tensor.
 */
export const parseTensors = (
  specs: readonly TensorSpec[],
  value: unknown,
  kind: 'input' | 'output',
): readonly Tensor[] => {
  const names = specs.map(({ name }) => name);
  if (!isRecord(value)) {
    throw new Error(
      `expected the ${kind}s ${names.join(', ')} as an object by name, and came ${nameOf(value)}`,
    );
  }
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`${kind} ${unknown} is not declared: there are ${names.join(', ') || 'none'}`);
  }
  return specs.map((spec) => parseTensor(spec, value[spec.name], `${kind} ${spec.name}`));
};

const parseTensor = (spec: TensorSpec, value: unknown, what: string): Tensor => {
  if (!isRecord(value)) throw new Error(`${what} should be {type, shape, data}, and is ${nameOf(value)}`);
  // Each field is read once: a getter may answer differently the second time.
  const { type, shape: dimensions, data } = value;
  if (type !== spec.type)
    throw new Error(`${what} should be of the type ${spec.type}, and is ${print(type)}`);
  const shape = parseShape(dimensions, spec.shape, what);
  const length = shape.reduce((product, size) => product * size, 1);
  const tensor = { name: spec.name, type: spec.type, shape, data: parseData(spec.type, data, length, what) };
  return spec.labels === undefined ? tensor : { ...tensor, labels: spec.labels };
};

const parseShape = (
  value: unknown,
  declared: readonly (number | undefined)[],
  what: string,
): readonly number[] => {
  const expected = `[${declared.map((size) => size ?? '?').join(', ')}]`;
  if (!Array.isArray(value))
    throw new Error(`${what} should have the shape ${expected}, and has ${nameOf(value)}`);
  const shape: readonly unknown[] = value.length === declared.length ? Array.from(value) : [];
  const fits = (size: unknown, index: number): size is number =>
    Number.isSafeInteger(size) && Number(size) >= 0 && (declared[index] ?? size) === size;
  if (shape.length === declared.length && shape.every(fits)) return shape;
  const came = value.slice(0, 10).map(print).join(', ');
  throw new Error(`${what} should have the shape ${expected}, and has [${came}]`);
};

const parseData = (type: TensorType, data: unknown, length: number, what: string): TensorData => {
  const expected = type === 'string' ? 'an array of strings' : `a ${ARRAYS[type].name}`;
  const isList = Array.isArray(data);
  const isTyped = type !== 'string' && data instanceof ARRAYS[type];
  if (!isList && !isTyped) throw new Error(`${what} should hold ${expected}, and holds ${nameOf(data)}`);
  if (data.length !== length) {
    throw new Error(`${what} should hold ${length} elements by its shape, and holds ${data.length}`);
  }
  if (type === 'string') return parseStrings(data as readonly unknown[], what);
  return isList ? convert(type, data, what) : checkTyped(type, data as NumericData, what);
};

const parseStrings = (data: readonly unknown[], what: string): readonly string[] =>
  Array.from(data, (element, index) => {
    if (typeof element === 'string') return element;
    throw new Error(`${what} should hold strings, and element ${index} is ${print(element)}`);
  });

const checkTyped = (type: NumericType, data: NumericData, what: string): TensorData => {
  if (type === 'bool') {
    const index = (data as Uint8Array).findIndex((byte) => byte > 1);
    if (index >= 0) throw new Error(`${what} should hold 0 or 1, and element ${index} is ${data[index]}`);
  }
  // Memory that a thread shares could change after it was checked.
  return data.buffer instanceof SharedArrayBuffer ? copyData(type, data) : data;
};

/** A copy whose buffer holds these elements and nothing else; no method of the data itself is called. */
export const copyData = (type: NumericType, data: NumericData): NumericData => {
  const Data = ARRAYS[type] as new (source: NumericData) => NumericData;
  return new Data(data);
};

const convert = (type: NumericType, list: readonly unknown[], what: string): NumericData => {
  const data = new ARRAYS[type](list.length);
  for (let index = 0; index < list.length; index += 1) {
    const element = list[index];
    const fits = data instanceof BigInt64Array || data instanceof BigUint64Array ? writeBig : write;
    if (!fits(type, data as never, index, element)) {
      throw new Error(`${what} should hold ${type}, and element ${index} is ${print(element)}`);
    }
  }
  return data;
};

const write = (
  type: NumericType,
  data: Exclude<NumericData, BigInt64Array | BigUint64Array>,
  index: number,
  element: unknown,
): boolean => {
  const number = type === 'bool' && typeof element === 'boolean' ? Number(element) : element;
  if (typeof number !== 'number' || (type === 'bool' && number !== 0 && number !== 1)) return false;
  data[index] = number;
  // Integers must come out as they went in; floats may lose digits, but a finite one must not become infinite.
  return type.startsWith('float')
    ? Number.isFinite(data[index]) === Number.isFinite(number)
    : data[index] === number;
};

const writeBig = (
  _: NumericType,
  data: BigInt64Array | BigUint64Array,
  index: number,
  element: unknown,
): boolean => {
  if (typeof element !== 'bigint' && !Number.isSafeInteger(element)) return false;
  const integer = BigInt(element as bigint | number);
  data[index] = integer;
  return data[index] === integer;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

const nameOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'an array';
  if (ArrayBuffer.isView(value)) return `a ${Object.prototype.toString.call(value).slice(8, -1)}`;
  return typeof value === 'object' && value !== null ? 'an object' : print(value);
};

const print = (value: unknown): string => {
  if (typeof value === 'object' && value !== null) return nameOf(value);
  return typeof value === 'function' ? 'a function' : String(value).slice(0, 40);
};
