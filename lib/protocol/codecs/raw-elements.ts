import type { TensorData, TensorType } from '../../engines/engine.ts';
import { invalidInput } from './invalid-input.ts';

type Numbers = Exclude<TensorData, readonly string[]>;

interface NumbersConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): Numbers;
}

const ARRAYS: Readonly<Record<Exclude<TensorType, 'string'>, NumbersConstructor>> = {
  float16: Float16Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** Bytes that one element takes. */
export const bytesPerElement = (type: Exclude<TensorType, 'string'>): number =>
  ARRAYS[type].BYTES_PER_ELEMENT;

/**
 * Little-endian, row-major elements as a typed array; every machine this runs on is little-endian. They are not copied
 * where they lie aligned.
 * @throws ServingError ValidationError where there are not exactly `count`, and for a bool that is neither 0 nor 1.
 */
export const numbersFromBytes = (
  type: Exclude<TensorType, 'string'>,
  bytes: Uint8Array,
  count: number,
  where: string,
): Numbers => {
  const Type = ARRAYS[type];
  if (bytes.length !== count * Type.BYTES_PER_ELEMENT) {
    throw invalidInput(
      `${where} has ${bytes.length} bytes, but ${count} elements of ${type} take ${count * Type.BYTES_PER_ELEMENT}`,
    );
  }
  const odd = type === 'bool' ? bytes.findIndex((byte) => byte > 1) : -1;
  if (odd !== -1)
    throw invalidInput(`${where}: element ${odd} should be 0 or 1 (bool), but is ${bytes[odd]}`);
  const aligned = bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new Type(aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
};

export const bytesOfNumbers = (data: Numbers): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
