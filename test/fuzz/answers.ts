import type { InferenceReply } from '../../lib/protocol/envelope.ts';
import type { Leaf } from './subjects.ts';

type Ok = InferenceReply & { readonly ok: true };

/**
 * All elements of an answer, in their order, read by other code than what wrote it.
 * @throws Error for a body that is not what its content type says.
 */
export const readAnswer = (reply: Ok): readonly Leaf[] => {
  const bytes = Buffer.from(reply.body, reply.isBase64Encoded ? 'base64' : 'utf8');
  const [type = '', ...parameters] = reply.contentType.split(';');
  switch (type) {
    case 'application/json':
      return jsonLeaves(JSON.parse(bytes.toString()));
    case 'text/csv':
      return csvLeaves(bytes.toString());
    case 'application/x-npy':
      return npyLeaves(bytes);
    case 'application/x-npz':
      return npzLeaves(bytes);
    case 'application/vnd.sagemaker-triton.binary+json':
      return binaryLeaves(bytes, Number(parameters.join().split('=')[1]));
    default:
      throw new Error(`content type ${reply.contentType}`);
  }
};

/** Within 1e-5, as single precision has it; text formats have no types of their own. */
export const isSame = (came: readonly Leaf[], expected: readonly Leaf[]): boolean =>
  came.length === expected.length && expected.every((leaf, index) => isSameLeaf(came[index], leaf));

const isSameLeaf = (came: Leaf | undefined, expected: Leaf): boolean => {
  if (typeof expected === 'string') return came === expected;
  if (typeof expected === 'boolean') return ['true', '1'].includes(String(came)) === expected;
  if (typeof expected === 'bigint') return String(came) === String(expected);
  const [a, b] = [Number(came), expected];
  return Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-5 * Math.abs(b);
};

const jsonLeaves = (value: unknown): Leaf[] => {
  const tensors = (value as { outputs?: { datatype?: string; data?: unknown }[] } | null)?.outputs;
  if (Array.isArray(tensors) && tensors.some((tensor) => tensor?.datatype !== undefined)) {
    return tensors.flatMap(({ data }) => flatten(data));
  }
  return flatten(value);
};

const flatten = (value: unknown): Leaf[] => {
  if (typeof value !== 'object' || value === null) return [value as Leaf];
  return Object.values(value).flatMap(flatten);
};

/** RFC 4180, fields over several lines included. */
const csvLeaves = (text: string): Leaf[] => {
  const fields: string[] = [];
  let at = 0;
  while (at < text.length) {
    const match = /"((?:[^"]|"")*)"|([^",\n]*)/y;
    match.lastIndex = at;
    const found = match.exec(text);
    fields.push(found?.[1]?.replaceAll('""', '"') ?? found?.[2] ?? '');
    at = match.lastIndex;
    const end = text[at];
    if (end !== ',' && end !== '\n') throw new Error(`CSV at ${at}`);
    at += 1;
    if (end === ',' && at === text.length) fields.push('');
  }
  return fields;
};

const NUMPY: Readonly<Record<string, (view: DataView, at: number) => Leaf>> = {
  f2: (view, at) => view.getFloat16(at, true),
  f4: (view, at) => view.getFloat32(at, true),
  f8: (view, at) => view.getFloat64(at, true),
  i1: (view, at) => view.getInt8(at),
  u1: (view, at) => view.getUint8(at),
  b1: (view, at) => view.getUint8(at),
  i2: (view, at) => view.getInt16(at, true),
  u2: (view, at) => view.getUint16(at, true),
  i4: (view, at) => view.getInt32(at, true),
  u4: (view, at) => view.getUint32(at, true),
  i8: (view, at) => view.getBigInt64(at, true),
  u8: (view, at) => view.getBigUint64(at, true),
};

const npyLeaves = (bytes: Buffer): Leaf[] => {
  const end = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, end);
  const [, kind = '', width = ''] = /'descr': '[<|](\w)(\d+)'/.exec(header) ?? [];
  const sizes = /\(([^)]*)\)/.exec(header)?.[1] ?? '';
  const count = (sizes.match(/\d+/g) ?? []).reduce((product, size) => product * Number(size), 1);
  const data = bytes.subarray(end);
  const elementBytes = kind === 'U' ? 4 * Number(width) : Number(width);
  if (!bytes.toString('latin1', 0, 6).endsWith('NUMPY') || data.length !== count * elementBytes) {
    throw new Error(`npy ${header} with ${data.length} bytes`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return Array.from({ length: count }, (_, index) =>
    kind === 'U'
      ? utf32(data.subarray(index * elementBytes, (index + 1) * elementBytes))
      : readNumber(kind + width, view, index * elementBytes),
  );
};

const utf32 = (bytes: Buffer): string =>
  Array.from({ length: bytes.length / 4 }, (_, index) => String.fromCodePoint(bytes.readUInt32LE(4 * index)))
    .join('')
    .replace(/\0+$/, '');

const readNumber = (type: string, view: DataView, at: number): Leaf => {
  const read = NUMPY[type];
  if (read === undefined) throw new Error(`type ${type}`);
  return read(view, at);
};

/** Members that are stored, one after the other. */
const npzLeaves = (bytes: Buffer): Leaf[] => {
  const leaves: Leaf[] = [];
  let at = 0;
  while (bytes.readUInt32LE(at) === 0x04034b50) {
    const start = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
    const end = start + bytes.readUInt32LE(at + 18);
    leaves.push(...npyLeaves(bytes.subarray(start, end)));
    at = end;
  }
  return leaves;
};

const OPEN_TYPES: Readonly<Record<string, string>> = {
  BOOL: 'b1',
  UINT8: 'u1',
  UINT16: 'u2',
  UINT32: 'u4',
  UINT64: 'u8',
  INT8: 'i1',
  INT16: 'i2',
  INT32: 'i4',
  INT64: 'i8',
  FP16: 'f2',
  FP32: 'f4',
  FP64: 'f8',
};

interface BinaryTensor {
  readonly datatype: string;
  readonly data?: unknown;
  readonly parameters?: { readonly binary_data_size?: number };
}

const binaryLeaves = (bytes: Buffer, headerBytes: number): Leaf[] => {
  const { outputs } = JSON.parse(bytes.toString('utf8', 0, headerBytes)) as {
    outputs: readonly BinaryTensor[];
  };
  let at = headerBytes;
  const leaves = outputs.flatMap(({ datatype, data, parameters }) => {
    const size = parameters?.binary_data_size;
    if (size === undefined) return flatten(data);
    const part = bytes.subarray(at, at + size);
    at += size;
    return datatype === 'BYTES' ? lengthPrefixed(part) : rawNumbers(OPEN_TYPES[datatype] ?? '', part);
  });
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes too many`);
  return leaves;
};

const lengthPrefixed = (bytes: Buffer): Leaf[] => {
  const leaves: Leaf[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    leaves.push(bytes.toString('utf8', at + 4, end));
    at = end;
  }
  return leaves;
};

const rawNumbers = (type: string, bytes: Buffer): Leaf[] => {
  const width = Number(type.slice(1));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / width }, (_, index) => readNumber(type, view, index * width));
};
