import { crc32, deflateRawSync } from 'node:zlib';
import type { TensorType } from '../../lib/engines/engine.ts';
import type { Random } from './random.ts';
import type { Given, Leaf } from './subjects.ts';

/** Encoders of their own: the codecs under test must not be held against themselves. */
export const nest = (values: readonly unknown[], shape: readonly number[]): unknown => {
  const [size, ...rest] = shape;
  if (size === undefined) return values[0];
  const stride = values.length / size;
  return Array.from({ length: size }, (_, index) =>
    nest(values.slice(index * stride, (index + 1) * stride), rest),
  );
};

const WRITERS: Readonly<
  Record<string, { bytes: number; write: (view: DataView, at: number, leaf: Leaf, little: boolean) => void }>
> = {
  f2: { bytes: 2, write: (view, at, leaf, little) => view.setFloat16(at, Number(leaf), little) },
  f4: { bytes: 4, write: (view, at, leaf, little) => view.setFloat32(at, Number(leaf), little) },
  f8: { bytes: 8, write: (view, at, leaf, little) => view.setFloat64(at, Number(leaf), little) },
  i8: { bytes: 8, write: (view, at, leaf, little) => view.setBigInt64(at, BigInt(leaf), little) },
  i4: { bytes: 4, write: (view, at, leaf, little) => view.setInt32(at, Number(leaf), little) },
  u1: { bytes: 1, write: (view, at, leaf) => view.setUint8(at, Number(leaf)) },
  b1: { bytes: 1, write: (view, at, leaf) => view.setUint8(at, Number(leaf)) },
};

export const NUMPY_TYPES: Partial<Record<TensorType, string>> = {
  float16: 'f2',
  float32: 'f4',
  float64: 'f8',
  int64: 'i8',
  int32: 'i4',
  uint8: 'u1',
  bool: 'b1',
};

export const OPEN_TYPES: Partial<Record<TensorType, string>> = {
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  int64: 'INT64',
  int32: 'INT32',
  uint8: 'UINT8',
  bool: 'BOOL',
  string: 'BYTES',
};

export const rawBytes = ({ spec, values }: Given, type = NUMPY_TYPES[spec.type], little = true): Buffer => {
  if (spec.type === 'string') {
    return Buffer.concat(
      values.flatMap((value) => {
        const content = Buffer.from(String(value));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(content.length);
        return [length, content];
      }),
    );
  }
  const writer = WRITERS[type ?? ''];
  if (writer === undefined) throw new Error(`no writer for ${type}`);
  const bytes = Buffer.alloc(values.length * writer.bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [index, leaf] of values.entries()) writer.write(view, index * writer.bytes, leaf, little);
  return bytes;
};

export interface NpyHeader {
  readonly descr: string;
  readonly order: string;
  readonly shape: string;
  readonly version: number;
}

/** As np.save might write it: any version, either byte order, either order of elements, and wider types that fit. */
export const npy = (random: Random, given: Given, change: (header: NpyHeader) => NpyHeader = (it) => it) => {
  const { spec, shape } = given;
  const isFortran = shape.length === 2 && random.chance(0.2);
  const ordered = isFortran ? { ...given, values: transpose(given) } : given;
  const little = random.chance(0.8);
  const own = NUMPY_TYPES[spec.type] ?? '';
  const type = own === 'f4' || own === 'f2' ? random.pick([own, own, 'f8']) : own;
  const width = Math.max(1, ...given.values.map((value) => [...String(value)].length));
  const isText = spec.type === 'string';
  const header = change({
    descr: isText ? `${little ? '<' : '>'}U${width}` : `${/1$/.test(type) ? '|' : little ? '<' : '>'}${type}`,
    order: isFortran ? 'True' : 'False',
    shape: shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`,
    version: random.integer(1, 3),
  });
  const data = isText ? utf32(ordered.values, width, little) : rawBytes(ordered, type, little);
  return Buffer.concat([npyHeader(header), data]);
};

const npyHeader = ({ descr, order, shape, version }: NpyHeader): Buffer => {
  const literal = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const prefixBytes = version === 1 ? 10 : 12;
  const length = Math.ceil((prefixBytes + literal.length + 1) / 64) * 64 - prefixBytes;
  const prefix = Buffer.alloc(prefixBytes);
  prefix.write('\x93NUMPY', 'latin1');
  prefix[6] = version;
  if (version === 1) prefix.writeUInt16LE(length, 8);
  else prefix.writeUInt32LE(length, 8);
  return Buffer.concat([prefix, Buffer.from(`${literal.padEnd(length - 1)}\n`, 'latin1')]);
};

const transpose = ({ values, shape }: Given): Leaf[] => {
  const [rows = 0, columns = 0] = shape;
  return Array.from(
    values,
    (_, index) => values[(index % rows) * columns + Math.floor(index / rows)] as Leaf,
  );
};

const utf32 = (values: readonly Leaf[], width: number, little: boolean): Buffer => {
  const bytes = Buffer.alloc(values.length * width * 4);
  for (const [index, value] of values.entries()) {
    for (const [at, character] of [...String(value)].entries()) {
      const point = character.codePointAt(0) ?? 0;
      const offset = (index * width + at) * 4;
      if (little) bytes.writeUInt32LE(point, offset);
      else bytes.writeUInt32BE(point, offset);
    }
  }
  return bytes;
};

export interface ZipMember {
  readonly name: string;
  readonly content: Buffer;
  readonly deflated: boolean;
}

/** A zip as zipfile writes it; `lie` may change the fields of the directory. */
export const zip = (
  members: readonly ZipMember[],
  lie: (field: string, value: number) => number = (_, it) => it,
) => {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, deflated } of members) {
    const packed = deflated ? deflateRawSync(content) : content;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(deflated ? 8 : 0, 4);
    common.writeUInt32LE(lie('crc', crc32(content)) >>> 0, 10);
    common.writeUInt32LE(lie('packed', packed.length) >>> 0, 14);
    common.writeUInt32LE(lie('size', content.length) >>> 0, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name)]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(lie('offset', offset) >>> 0, 10);
    parts.push(local, packed);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, Buffer.from(name));
    offset += local.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(lie('count', members.length) & 0xffff, 8);
  end.writeUInt16LE(lie('count', members.length) & 0xffff, 10);
  end.writeUInt32LE(
    lie(
      'directory',
      directory.reduce((sum, part) => sum + part.length, 0),
    ) >>> 0,
    12,
  );
  end.writeUInt32LE(lie('start', offset) >>> 0, 16);
  return Buffer.concat([...parts, ...directory, end]);
};
