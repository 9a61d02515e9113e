import type { TensorData, TensorType } from '../../engines/engine.ts';
import { invalidInput } from './invalid-input.ts';

/** Writes one element of a request into a tensor's data, strictly. */
export interface ElementWriter {
  readonly data: TensorData;
  /** @returns what was expected, where `value` is not that; nothing when it was written */
  write(value: unknown, index: number): string | undefined;
  /**
   * Writes values that need no second look, as far as they go: numbers that fit. The rest is for `write`.
   * @returns how many were written
   */
  writeRun?(values: readonly unknown[], index: number): number;
}

/** JSON has no such numbers; these strings stand for them, both ways. */
const NON_FINITE: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

export const nonFiniteName = (value: number): string => (Number.isNaN(value) ? 'NaN' : String(value));

export const createElementWriter = (type: TensorType, length: number): ElementWriter => {
  switch (type) {
    case 'float16':
      return floatWriter(
        new Float16Array(length),
        'a number that fits 16-bit floating point (at most 65504)',
      );
    case 'float32':
      return floatWriter(new Float32Array(length), 'a number that fits 32-bit floating point (below 3.4e38)');
    case 'float64':
      return floatWriter(
        new Float64Array(length),
        'a number that fits 64-bit floating point (below 1.8e308)',
      );
    case 'int8':
      return integerWriter(new Int8Array(length), -128, 127);
    case 'uint8':
      return integerWriter(new Uint8Array(length), 0, 255);
    case 'int16':
      return integerWriter(new Int16Array(length), -32_768, 32_767);
    case 'uint16':
      return integerWriter(new Uint16Array(length), 0, 65_535);
    case 'int32':
      return integerWriter(new Int32Array(length), -2_147_483_648, 2_147_483_647);
    case 'uint32':
      return integerWriter(new Uint32Array(length), 0, 4_294_967_295);
    case 'int64':
      return bigintWriter(new BigInt64Array(length), -(2n ** 63n), 2n ** 63n - 1n);
    case 'uint64':
      return bigintWriter(new BigUint64Array(length), 0n, 2n ** 64n - 1n);
    case 'bool':
      return booleanWriter(new Uint8Array(length));
    case 'string':
      return stringWriter(newStrings(length));
  }
};

/** A string takes tens of bytes even when it is empty. */
const MAX_STRINGS = 2_097_152;

const newStrings = (length: number): string[] => {
  if (length <= MAX_STRINGS) return new Array<string>(length).fill('');
  throw invalidInput(
    `a tensor of ${length} strings is too large: at most ${MAX_STRINGS} are taken, so send fewer rows`,
  );
};

const floatWriter = (data: Float16Array | Float32Array | Float64Array, expected: string): ElementWriter => ({
  data,
  write: (value, index) => {
    const number = typeof value === 'number' ? value : NON_FINITE.get(value);
    if (number === undefined) return 'a number (or "NaN", "Infinity", "-Infinity")';
    data[index] = number;
    // A number that became infinite, here or while it was read (1e999), does not fit: infinities come as strings.
    return typeof value === 'number' && !Number.isFinite(data[index]) ? expected : undefined;
  },
  writeRun: (values, index) => writeFiniteRun(data, values, index),
});

/** The hot path of large batches: one loop without calls. A function of its own, as V8 optimises closures one by one. */
const writeFiniteRun = (
  data: Float16Array | Float32Array | Float64Array,
  values: readonly unknown[],
  index: number,
): number => {
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (typeof value !== 'number') return at;
    data[index + at] = value;
    const written = data[index + at];
    // Only what is not finite leaves something when it is taken from itself.
    if (written === undefined || written - written !== 0) return at;
  }
  return values.length;
};

type IntegerData = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;

const integerWriter = (data: IntegerData, min: number, max: number): ElementWriter => ({
  data,
  write: (value, index) => {
    if (!Number.isInteger(value) || Number(value) < min || Number(value) > max) {
      return `a whole number from ${min} to ${max}`;
    }
    data[index] = Number(value);
    return undefined;
  },
});

/** Beyond 2^53 a JSON number has lost digits before it gets here: such integers travel as strings. */
const bigintWriter = (data: BigInt64Array | BigUint64Array, min: bigint, max: bigint): ElementWriter => ({
  data,
  write: (value, index) => {
    const integer = parseInteger(value);
    if (integer === undefined || integer < min || integer > max) {
      return `a whole number from ${min} to ${max} (as a string where it is beyond 2^53)`;
    }
    data[index] = integer;
    return undefined;
  },
});

const parseInteger = (value: unknown): bigint | undefined => {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined;
};

const booleanWriter = (data: Uint8Array): ElementWriter => ({
  data,
  write: (value, index) => {
    if (typeof value !== 'boolean') return 'true or false';
    data[index] = value ? 1 : 0;
    return undefined;
  },
});

const stringWriter = (data: string[]): ElementWriter => ({
  data,
  write: (value, index) => {
    if (typeof value !== 'string') return 'a string';
    // onnxruntime would end it at the first and change the second.
    if (value.includes('\0') || !value.isWellFormed()) return 'a string without NUL and half characters';
    data[index] = value;
    return undefined;
  },
});
