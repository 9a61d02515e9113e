import { isUtf8 } from 'node:buffer';
import type { Tensor, TensorData, TensorSpec, TensorType } from '../../engines/engine.ts';
import { describeShape, describeValue, invalidInput } from './invalid-input.ts';
import { bytesOfNumbers, bytesPerElement, numbersFromBytes } from './raw-elements.ts';
import { checkShape, countElements } from './shapes.ts';

/**
 * `application/x-npy`: one array as `np.save` writes it, format 1.0 to 3.0 (numpy.lib.format). Elements must be of the type
 * that the model declares. Two defaults of NumPy may stand in for narrower types where every value fits: float64 for
 * float32 and float16, int64 for any integer. Pickled objects are never loaded.
 *
 * Elements that lie aligned and row by row are not copied: the tensor then shares memory with `bytes`.
 * @param where how messages name the array
 * @throws ServingError ValidationError naming the input, what came, what was expected and the NumPy call that mends it.
 */
export const decodeNpy = (
  bytes: Uint8Array,
  inputs: readonly TensorSpec[],
  where = 'the body',
): readonly Tensor[] => {
  const [spec] = inputs;
  if (inputs.length !== 1 || spec === undefined) {
    throw invalidInput(
      `a .npy file holds one array, and the model has ${inputs.length} inputs: send application/x-npz (np.savez)`,
    );
  }
  const { descr, isFortranOrder, shape, data } = splitHeader(bytes, where);
  const elements = parseDescr(descr, spec, where);
  checkShape(shape, spec, where);
  checkLength(data, shape, elements, where);
  const rows = isFortranOrder ? inRowMajorOrder(data, shape, elements.bytes) : data;
  const read = readElements(rows, countElements(shape), elements, where);
  const fitted = elements.type === spec.type ? read : narrow(read as Wide, { ...spec, shape }, where);
  return [{ name: spec.name, type: spec.type, shape, data: fitted }];
};

/**
 * The one output as `np.save` would write it: format 1.0, little-endian, row by row; strings become `<U`.
 * @throws ServingError ValidationError for several outputs, and for strings that NumPy's fixed-width ones cannot hold.
 */
export const encodeNpy = (outputs: readonly Tensor[]): Uint8Array => {
  const [output] = outputs;
  if (outputs.length !== 1 || output === undefined) {
    throw invalidInput(
      `a .npy file holds one array, and the model has ${outputs.length} outputs: ask for application/x-npz (Accept)`,
    );
  }
  const { descr, bytes } =
    output.type === 'string'
      ? encodeStrings(output, output.data as readonly string[])
      : { descr: DESCRS[output.type], bytes: bytesOfNumbers(output.data as Numbers) };
  return Buffer.concat([encodeHeader(descr, output.shape), bytes]);
};

type Numbers = Exclude<TensorData, readonly string[]>;
type Wide = Float64Array | BigInt64Array;

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');

/** NumPy reads no longer ones either (numpy.lib.format, _MAX_HEADER_SIZE). */
const MAX_HEADER_BYTES = 10_000;

/** NumPy's own limit (NPY_MAXDIMS since 2.0); it also keeps messages short. */
const MAX_RANK = 64;

interface Npy {
  readonly descr: string;
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Magic, version (2 bytes), the header's length (2 bytes in version 1, else 4), the header, the elements. */
const splitHeader = (bytes: Uint8Array, where: string): Npy => {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!file.subarray(0, MAGIC.length).equals(MAGIC)) throw notNpy(file, where);
  if (file.length < MAGIC.length + 2) throw invalidInput(`${where} is cut off before its version`);
  const [major = 0, minor = 0] = file.subarray(MAGIC.length);
  if (major < 1 || major > 3 || minor !== 0) {
    throw invalidInput(
      `${where} is .npy version ${major}.${minor}, but should be 1.0, 2.0 or 3.0: write it with np.save`,
    );
  }
  const lengthBytes = major === 1 ? 2 : 4;
  const start = MAGIC.length + 2 + lengthBytes;
  const length = start <= file.length ? file.readUIntLE(start - lengthBytes, lengthBytes) : 0;
  if (length > MAX_HEADER_BYTES) {
    throw invalidInput(
      `${where} has a header of ${length} bytes, but should have at most ${MAX_HEADER_BYTES}: write it with np.save`,
    );
  }
  if (start + length > file.length) {
    throw invalidInput(
      `${where} is cut off: its header should end at byte ${start + length}, but it has ${file.length} bytes`,
    );
  }
  const header = file.toString(major === 3 ? 'utf8' : 'latin1', start, start + length);
  return { ...parseHeader(header, where), data: bytes.subarray(start + length) };
};

const notNpy = (file: Buffer, where: string) => {
  if (file.length === 0) return invalidInput(`${where} is empty: expected a .npy file, as np.save writes it`);
  const isZip = file.toString('latin1', 0, 2) === 'PK';
  const hint = isZip ? ' (it looks like .npz: send that as application/x-npz)' : '';
  return invalidInput(
    `${where} should start with \\x93NUMPY, as np.save writes it, but starts with ${describeValue(file.toString('latin1', 0, 8))}${hint}`,
  );
};

/** One `'key': value` of the header; a list swallows the rest, because it is refused anyway. */
const ENTRY =
  / *(['"])(descr|fortran_order|shape)\1 *: *('[^'\\]*'|"[^"\\]*"|True|False|\([^()]*\)|\[.*) *(?:,|$)/gsy;

/** A tuple of sizes; as in Python, one of a single size needs its comma. */
const SHAPE = /^\( *\)$|^\((?: *(?:0|[1-9]\d*) *,)+(?: *(?:0|[1-9]\d*))? *\)$/;

/** The header is a literal of Python; of that language only what np.save writes is read. */
const parseHeader = (header: string, where: string): Omit<Npy, 'data'> => {
  const inner = /^\{(.*)\} *\n?$/s.exec(header)?.[1];
  const matches = [...(inner ?? '').matchAll(ENTRY)];
  const entries = new Map(matches.map(([, , key, value = '']) => [key, value]));
  const descr = entries.get('descr') ?? '';
  if (descr.startsWith('[')) {
    throw invalidInput(
      `${where} has a structured dtype ${describeValue(descr)}, but should have one type for all elements: send each field as an input of its own (np.savez)`,
    );
  }
  const order = entries.get('fortran_order') ?? '';
  const shape = entries.get('shape') ?? '';
  const isRead = inner !== undefined && /^ *$/.test(inner.slice(sumOfLengths(matches)));
  const isWhole = isRead && matches.length === 3 && entries.size === 3;
  if (!isWhole || !/^['"]/.test(descr) || !/^[TF]/.test(order) || !SHAPE.test(shape)) {
    throw invalidInput(
      `${where} should have a header such as {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, but has ${describeValue(header.trimEnd())}: write it with np.save`,
    );
  }
  const sizes = (shape.match(/\d+/g) ?? []).map(Number);
  if (sizes.length > MAX_RANK) {
    throw invalidInput(
      `${where} has ${sizes.length} dimensions, but NumPy's arrays have at most ${MAX_RANK}: write it with np.save`,
    );
  }
  return { descr: descr.slice(1, -1), isFortranOrder: order === 'True', shape: sizes };
};

const sumOfLengths = (matches: readonly RegExpExecArray[]): number =>
  matches.reduce((sum, [match]) => sum + match.length, 0);

const DESCRS: Readonly<Record<Exclude<TensorType, 'string'>, string>> = {
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
  int8: '|i1',
  uint8: '|u1',
  int16: '<i2',
  uint16: '<u2',
  int32: '<i4',
  uint32: '<u4',
  int64: '<i8',
  uint64: '<u8',
  bool: '|b1',
};

const TYPES: ReadonlyMap<string, Exclude<TensorType, 'string'>> = new Map([
  ['?', 'bool'],
  ...Object.entries(DESCRS).map(
    // Object.entries forgets which keys there are.
    ([type, descr]) => [descr.slice(1), type as Exclude<TensorType, 'string'>] as const,
  ),
]);

/** How the file lays out one element. `unit`: the bytes that are reversed together in a big-endian file. */
interface Elements {
  readonly descr: string;
  readonly type: TensorType;
  readonly bytes: number;
  readonly unit: number;
  readonly isBigEndian: boolean;
}

/** @throws ServingError ValidationError unless it is the declared type, or one that may stand in for that. */
const parseDescr = (descr: string, spec: TensorSpec, where: string): Elements => {
  const mend = `convert it with .astype(${numpyType(spec.type)})`;
  if (/^[<>|=]?O/.test(descr)) {
    throw invalidInput(
      `${where} is ${describeValue(descr)}, Python objects (pickle), which are never loaded; input ${spec.name} should be ${spec.type}: ${mend}`,
    );
  }
  const elements = knownElements(descr);
  if (elements !== undefined && (elements.type === spec.type || mayStandFor(elements.type, spec.type))) {
    return elements;
  }
  const came = describeValue(descr) + (elements === undefined ? '' : ` (${elements.type})`);
  throw invalidInput(`${where} is ${came}, but input ${spec.name} should be ${spec.type}: ${mend}`);
};

const knownElements = (descr: string): Elements | undefined => {
  const [, order = '', number = '', kind, characters] =
    /^([<>|]?)(?:([fiub]\d|\?)|([SU])([1-9]\d{0,8}))$/.exec(descr) ?? [];
  const type = kind === undefined ? TYPES.get(number) : 'string';
  if (type === undefined) return undefined;
  const unit = type !== 'string' ? bytesPerElement(type) : kind === 'U' ? 4 : 1;
  const hasOrder = order === '<' || order === '>';
  if (unit > 1 && !hasOrder) return undefined;
  return { descr, type, bytes: unit * Number(characters ?? 1), unit, isBigEndian: order === '>' };
};

const mayStandFor = (came: TensorType, declared: TensorType): boolean =>
  (came === 'float64' && declared.startsWith('float')) || (came === 'int64' && /^u?int/.test(declared));

const numpyType = (type: TensorType): string =>
  type === 'string' ? 'str' : type === 'bool' ? 'np.bool_' : `np.${type}`;

/** A JSON body of 6 MB holds no more; without a bound, short strings take far more memory than their bytes. */
const MAX_STRINGS = 2 ** 21;

const checkLength = (
  data: Uint8Array,
  shape: readonly number[],
  { descr, type, bytes }: Elements,
  where: string,
): void => {
  const count = countElements(shape);
  if (!Number.isSafeInteger(count * bytes)) {
    throw invalidInput(`${where} has the shape ${describeShape(shape)}, which is too large for any memory`);
  }
  if (data.length !== count * bytes) {
    throw invalidInput(
      `${where} has ${data.length} bytes after its header, but ${count} elements of ${describeValue(descr)} take ${count * bytes}`,
    );
  }
  if (type === 'string' && count > MAX_STRINGS) {
    throw invalidInput(`${where} has ${count} strings, but a request may have at most ${MAX_STRINGS}`);
  }
};

/** From column-major (Fortran) to row-major order, for elements of any size. */
const inRowMajorOrder = (bytes: Uint8Array, shape: readonly number[], elementBytes: number): Uint8Array => {
  const strides = shape.map((_, axis) => elementBytes * countElements(shape.slice(0, axis)));
  const rows = new Uint8Array(bytes.length);
  let to = 0;
  const copy = (axis: number, from: number): void => {
    const [size, stride] = [shape[axis], strides[axis]];
    if (size === undefined || stride === undefined) {
      for (let byte = 0; byte < elementBytes; byte++) rows[to++] = bytes[from + byte] ?? 0;
      return;
    }
    for (let index = 0; index < size; index++) copy(axis + 1, from + index * stride);
  };
  copy(0, 0);
  return rows;
};

const readElements = (bytes: Uint8Array, count: number, elements: Elements, where: string): TensorData => {
  const { type, unit, isBigEndian } = elements;
  const ordered = isBigEndian ? withBytesSwapped(bytes, unit) : bytes;
  if (type !== 'string') return numbersFromBytes(type, ordered, count, where);
  return unit === 1
    ? readUtf8(ordered, elements.bytes, where)
    : readUtf32(
        numbersFromBytes('uint32', ordered, ordered.length / 4, where) as Uint32Array,
        elements,
        where,
      );
};

const withBytesSwapped = (bytes: Uint8Array, unit: number): Uint8Array => {
  const copy = Buffer.from(bytes);
  if (unit === 2) return copy.swap16();
  if (unit === 4) return copy.swap32();
  return unit === 8 ? copy.swap64() : copy;
};

/** `|S`: bytes, filled up with zeros. */
const readUtf8 = (bytes: Uint8Array, width: number, where: string): readonly string[] => {
  const strings: string[] = [];
  for (let start = 0; start < bytes.length; start += width) {
    let end = start + width;
    while (end > start && bytes[end - 1] === 0) end--;
    const content = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    if (!isUtf8(content)) {
      throw invalidInput(
        `${where}: string ${strings.length} is not UTF-8: decode it first, for example np.char.decode(x, 'latin-1')`,
      );
    }
    strings.push(content.toString());
  }
  return strings;
};

/** `<U`: code points of 4 bytes, filled up with zeros. */
const readUtf32 = (points: Uint32Array, { bytes }: Elements, where: string): readonly string[] => {
  const width = bytes / 4;
  const units = new Uint16Array(width * 2);
  const text = Buffer.from(units.buffer);
  const strings: string[] = [];
  for (let start = 0; start < points.length; start += width) {
    let end = start + width;
    while (end > start && points[end - 1] === 0) end--;
    let length = 0;
    for (let next = start; next < end; next++) {
      const point = points[next] ?? 0;
      if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
        throw invalidInput(
          `${where}: string ${strings.length} has 0x${point.toString(16)}, which is no Unicode code point`,
        );
      }
      if (point > 0xffff) units[length++] = 0xd7c0 + (point >> 10);
      units[length++] = point > 0xffff ? 0xdc00 + (point & 0x3ff) : point;
    }
    strings.push(text.toString('utf16le', 0, length * 2));
  }
  return strings;
};

type Shaped = TensorSpec & { readonly shape: readonly number[] };

/** @throws ServingError ValidationError naming the first element that does not fit. */
const narrow = (wide: Wide, spec: Shaped, where: string): Numbers => {
  const narrowed = convert(wide, spec.type);
  const misfit = wide.findIndex((value: number | bigint, index: number) => !isKept(value, narrowed[index]));
  if (misfit === -1) return narrowed;
  throw invalidInput(
    `${where}${describeIndex(misfit, spec.shape)} should fit ${spec.type} (input ${spec.name}), but is ${wide[misfit]}`,
  );
};

const convert = (wide: Wide, type: TensorType): Numbers => {
  if (wide instanceof Float64Array) {
    return type === 'float16' ? new Float16Array(wide) : new Float32Array(wide);
  }
  if (type === 'uint64') return new BigUint64Array(wide);
  const narrowed = new INTEGERS[type as keyof typeof INTEGERS](wide.length);
  for (const [index, value] of wide.entries()) narrowed[index] = Number(value);
  return narrowed;
};

const INTEGERS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
};

/** A float may be rounded, but not to infinity; an integer must be what it was. */
const isKept = (wide: number | bigint, narrowed: number | bigint | undefined): boolean =>
  typeof wide === 'number'
    ? Number.isFinite(narrowed) || !Number.isFinite(wide)
    : // biome-ignore lint/suspicious/noDoubleEquals: the one comparison of bigint and number that converts neither
      wide == narrowed;

/** `[0, 1]`, as NumPy would take it. */
const describeIndex = (flat: number, shape: readonly number[]): string => {
  if (shape.length === 0) return '';
  const indices: number[] = [];
  let rest = flat;
  for (const size of shape.toReversed()) {
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${indices.join(', ')}]`;
};

/** Room that NumPy leaves for the first size to grow in place (GROWTH_AXIS_MAX_DIGITS). */
const GROWTH_DIGITS = 21;

/** Elements start at a multiple of this, so that the file can be mapped into memory; as NumPy, never without a space. */
const ALIGN_BYTES = 64;

const encodeHeader = (descr: string, shape: readonly number[]): Uint8Array => {
  const [first] = shape;
  const tuple = shape.length === 1 ? `${first},` : shape.join(', ');
  const growth = first === undefined ? 0 : GROWTH_DIGITS - String(first).length;
  const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }${' '.repeat(growth)}`;
  const start = MAGIC.length + 4;
  const length = (Math.floor((start + literal.length + 1) / ALIGN_BYTES) + 1) * ALIGN_BYTES - start;
  const prefix = Buffer.from([...MAGIC, 1, 0, length & 0xff, length >> 8]);
  return Buffer.concat([prefix, Buffer.from(`${literal.padEnd(length - 1)}\n`, 'latin1')]);
};

/** Every string takes the room of the longest. Answers are at most 6 MB (Lambda), so nothing that could be sent is refused. */
const MAX_STRINGS_BYTES = 64 * 2 ** 20;

const encodeStrings = (
  { name }: Tensor,
  strings: readonly string[],
): { descr: string; bytes: Uint8Array } => {
  // NumPy drops zeros at the end of a string, and a lone surrogate is no code point: either would be changed.
  const odd = strings.findIndex((text) => text.endsWith('\0') || !text.isWellFormed());
  if (odd !== -1) {
    throw invalidInput(
      `output ${name} has a string (${odd}) that .npy cannot hold, ${describeValue(strings[odd])}: ask for application/json (Accept)`,
    );
  }
  const points = strings.map(countCodePoints);
  const width = points.reduce((widest, count) => Math.max(widest, count), 1);
  if (strings.length * width * 4 > MAX_STRINGS_BYTES) {
    throw invalidInput(
      `output ${name} has ${strings.length} strings of up to ${width} characters, which is too large for .npy, where all are as wide: ask for application/json (Accept)`,
    );
  }
  const table = new Uint32Array(strings.length * width);
  for (const [index, text] of strings.entries()) {
    let next = index * width;
    for (const character of text) table[next++] = character.codePointAt(0) ?? 0;
  }
  return { descr: `<U${width}`, bytes: bytesOfNumbers(table) };
};

const countCodePoints = (text: string): number => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};
