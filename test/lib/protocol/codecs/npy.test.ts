import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor, TensorData, TensorSpec, TensorType } from '../../../../lib/engines/engine.ts';
import { ServingError } from '../../../../lib/errors.ts';
import { decodeNpy, encodeNpy } from '../../../../lib/protocol/codecs/npy.ts';
import { anyTensor, spec, tensor, tensorTypes } from '../../../fixtures/tensors.ts';

/** Written by NumPy 2.4.6 (np.save, np.lib.format.write_array for the later versions), base64. */
const NUMPY_TYPES: readonly (readonly [TensorType, readonly number[], TensorData, string])[] = [
  [
    'float16',
    [1, 2],
    Float16Array.of(1.5, -2),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAPgDA',
  ],
  [
    'float32',
    [1, 2],
    Float32Array.of(1.5, -2),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwA==',
  ],
  [
    'float64',
    [1, 2],
    Float64Array.of(1.5, -2),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4PwAAAAAAAADA',
  ],
  [
    'int8',
    [1, 2],
    Int8Array.of(1, -2),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnfGkxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoB/g==',
  ],
  [
    'uint8',
    [1, 2],
    Uint8Array.of(1, 254),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoB/g==',
  ],
  [
    'int16',
    [1, 2],
    Int16Array.of(1, -2),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAP7/',
  ],
  [
    'uint16',
    [1, 2],
    Uint16Array.of(1, 65_534),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPHUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAP7/',
  ],
  [
    'int32',
    [1, 2],
    Int32Array.of(1, -2),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAA/v///w==',
  ],
  [
    'uint32',
    [1, 2],
    Uint32Array.of(1, 2 ** 32 - 2),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPHU0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAA/v///w==',
  ],
  [
    'int64',
    [1, 2],
    BigInt64Array.of(1n, -2n),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAAP7/////////',
  ],
  [
    'uint64',
    [1, 2],
    BigUint64Array.of(1n, 2n ** 64n - 2n),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPHU4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAAP7/////////',
  ],
  [
    'bool',
    [1, 2],
    Uint8Array.of(1, 0),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAA==',
  ],
  [
    'string',
    [1, 3],
    ['é', 'a😀', ''],
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPFUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIArpAAAAAAAAAGEAAAAA9gEAAAAAAAAAAAA=',
  ],
];
const NUMPY_LAYOUTS: readonly (readonly [string, TensorType, readonly number[], TensorData, string])[] = [
  [
    'column by column (Fortran)',
    'float32',
    [2, 3],
    Float32Array.of(0, 1, 2, 3, 4, 5),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAABAQAAAgD8AAIBAAAAAQAAAoEA=',
  ],
  [
    'big-endian',
    'float32',
    [2],
    Float32Array.of(1.5, -2),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPmY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/wAAAwAAAAA==',
  ],
  [
    'format 2.0',
    'float32',
    [2],
    Float32Array.of(1.5, -2),
    'k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwA==',
  ],
  [
    'format 3.0',
    'float32',
    [2],
    Float32Array.of(1.5, -2),
    'k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwA==',
  ],
  [
    'a single number',
    'float32',
    [],
    Float32Array.of(1.5),
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/',
  ],
  [
    'big-endian strings',
    'string',
    [2],
    ['é', 'a😀'],
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPlUyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAADpAAAAAAAAAGEAAfYA',
  ],
  [
    'strings of bytes',
    'string',
    [2],
    ['é', 'ab'],
    'k05VTVBZAQB2AHsnZGVzY3InOiAnfFMyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIArDqWFi',
  ],
];
const NUMPY_OBJECTS =
  'k05VTVBZAQB2AHsnZGVzY3InOiAnfE8nLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqABJWNAAAAAAAAAIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMDF9yZWNvbnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwKFlGgDjAVkdHlwZZSTlIwCTziUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LP3SUYoldlChOSwFldJRiLg==';
const NUMPY_STRUCTURED =
  'k05VTVBZAQB2AHsnZGVzY3InOiBbKCdmMCcsICc8ZjgnKSwgKCdmMScsICc8aTQnKV0sICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAA=';

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));
const anyShape = (shape: readonly number[]) => shape.map(() => undefined);
const decode = (bytes: Uint8Array, ...inputs: readonly TensorSpec[]): Tensor | undefined =>
  decodeNpy(bytes, inputs.length === 0 ? [spec()] : inputs)[0];
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'ValidationError', message: expect.stringMatching(message) });

interface Parts {
  readonly version?: readonly [number, number];
  readonly descr?: string;
  readonly order?: string;
  readonly shape?: string;
  readonly header?: string;
  readonly headerBytes?: number;
  readonly data?: Uint8Array;
}

const FOUR_FLOATS = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

/** A .npy file of [[1, 2], [3, 4]] in float32, in which each part may be another one. */
const npy = ({ version = [1, 0], data = FOUR_FLOATS, ...parts }: Parts = {}): Uint8Array => {
  const { descr = "'<f4'", order = 'False', shape = '(2, 2)' } = parts;
  const header = Buffer.from(
    parts.header ?? `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`,
    version[0] === 3 ? 'utf8' : 'latin1',
  );
  const length = Buffer.alloc(version[0] === 1 ? 2 : 4);
  length.writeUIntLE(parts.headerBytes ?? header.length, 0, length.length);
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.from(version), length, header, data]);
};

const bytesOf = (...values: readonly number[]) => Uint8Array.from(values);
const bytesOfData = (data: Exclude<TensorData, readonly string[]>) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

describe('a .npy request', () => {
  it.each(NUMPY_TYPES)('of %s is read as NumPy wrote it', (type, shape, data, base64) => {
    const x: Tensor = { name: 'x', type, shape, data };

    expect(decode(fromBase64(base64), spec({ type, shape: anyShape(shape) }))).toEqual(x);
  });

  it.each(NUMPY_LAYOUTS)('may be %s', (_, type, shape, data, base64) => {
    const x: Tensor = { name: 'x', type, shape, data };

    expect(decode(fromBase64(base64), spec({ type, shape: anyShape(shape) }))).toEqual(x);
  });

  it.each([
    ['its entries in another order', "{'shape': (2, 2), 'descr': '<f4', 'fortran_order': False}"],
    ['no spaces', "{'shape':(2,2),'descr':'<f4','fortran_order':False}"],
    ['more spaces', "{ 'shape' : ( 2 , 2 , ) , 'descr' : '<f4' , 'fortran_order' : False , }   \n"],
    ['double quotes', '{"shape": (2, 2), "descr": "<f4", "fortran_order": False, }'],
  ])('may have a header with %s', (_, header) => {
    expect(decode(npy({ header }))).toEqual({
      name: 'x',
      type: 'float32',
      shape: [2, 2],
      data: Float32Array.of(1, 2, 3, 4),
    });
  });

  it("may name booleans as '?'", () => {
    const x = spec({ type: 'bool', shape: [2] });

    expect(decode(npy({ descr: "'?'", shape: '(2,)', data: bytesOf(1, 0) }), x)?.data).toEqual(bytesOf(1, 0));
  });

  it('keeps zeros inside a string and drops those that fill it up', () => {
    const data = bytesOfData(Uint32Array.of(0x61, 0, 0x62, 0));

    expect(
      decode(npy({ descr: "'<U4'", shape: '(1,)', data }), spec({ type: 'string', shape: [1] })),
    ).toMatchObject({ data: ['a\0b'] });
  });

  it('may have code points up to the ends of Unicode', () => {
    const points = Uint32Array.of(0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff);
    const x = spec({ type: 'string', shape: [undefined] });

    expect(decode(npy({ descr: "'<U5'", shape: '(1,)', data: bytesOfData(points) }), x)?.data).toEqual([
      '\ud7ff\ue000\uffff\u{10000}\u{10ffff}',
    ]);
  });

  it('may have strings of bytes that are empty', () => {
    const x = spec({ type: 'string', shape: [undefined] });

    expect(decode(npy({ descr: "'|S2'", shape: '(2,)', data: bytesOf(0, 0, 0, 0) }), x)?.data).toEqual([
      '',
      '',
    ]);
  });

  it('may have as many dimensions as NumPy has', () => {
    const shape = Array<number>(64).fill(1);
    const bytes = npy({ shape: `(${shape.join(', ')})`, data: FOUR_FLOATS.subarray(0, 4) });

    expect(decode(bytes, spec({ shape }))?.shape).toEqual(shape);
  });

  it('may have a header as long as NumPy reads', () => {
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }".padEnd(10_000);

    expect(decode(npy({ header }))?.data).toEqual(Float32Array.of(1, 2, 3, 4));
  });

  it('is not copied where it lies aligned', () => {
    const bytes = fromBase64(NUMPY_TYPES[1]?.[3] ?? '');

    expect(decode(bytes)?.data).toHaveProperty('buffer', bytes.buffer);
  });

  it('is read from any place in memory', () => {
    const bytes = fromBase64(NUMPY_TYPES[1]?.[3] ?? '');
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);

    expect(decode(shifted.subarray(1))?.data).toEqual(Float32Array.of(1.5, -2));
  });

  it.each(tensorTypes.filter((type) => type !== 'string'))(
    'of %s may be big-endian and column by column, in any rank',
    (type) => {
      fc.assert(
        fc.property(anyTensor(type, fc.integer({ min: 0, max: 4 })), (x) => {
          expect(decode(turnedAround(x), { ...x, shape: anyShape(x.shape) })).toEqual(x);
        }),
        { numRuns: 40 },
      );
    },
  );
});

/** The same tensor in the other byte order and the other order of elements, by the plainest means. */
const turnedAround = ({ type, shape, data }: Tensor): Uint8Array => {
  const rows = bytesOfData(data as Float32Array);
  const width = rows.length / data.length;
  const elements = Array.from({ length: data.length }, (_, flat) => {
    let [rest, to, stride] = [flat, 0, data.length];
    for (const size of shape.toReversed()) {
      stride /= size;
      to += (rest % size) * stride;
      rest = Math.floor(rest / size);
    }
    return { to, bytes: rows.slice(flat * width, (flat + 1) * width).reverse() };
  });
  const columns = elements.toSorted((a, b) => a.to - b.to).flatMap(({ bytes }) => [...bytes]);
  const kind = type === 'bool' ? 'b' : (type[0] ?? '');
  return npy({
    descr: `'>${kind}${width}'`,
    order: 'True',
    shape: `(${shape.map((size) => `${size},`).join('')})`,
    data: Uint8Array.from(columns),
  });
};

describe("a .npy request in one of NumPy's default types", () => {
  const file = (descr: string, data: Float64Array | BigInt64Array) =>
    npy({ descr: `'${descr}'`, shape: `(1, ${data.length})`, data: bytesOfData(data) });

  it('may be float64 for float32: it is rounded', () => {
    const x = file('<f8', Float64Array.of(0.1, Number.NaN, -Infinity, 1e-99));

    expect(decode(x, spec({ shape: [1, 4] }))?.data).toEqual(Float32Array.of(0.1, Number.NaN, -Infinity, 0));
  });

  it('may be float64 for float16: it is rounded', () => {
    const x = spec({ type: 'float16' });

    expect(decode(file('<f8', Float64Array.of(0.1, 65_504)), x)?.data).toEqual(Float16Array.of(0.1, 65_504));
  });

  it.each<[TensorType, TensorData]>([
    ['int8', Int8Array.of(0, 127)],
    ['uint8', Uint8Array.of(0, 127)],
    ['int16', Int16Array.of(0, 127)],
    ['uint16', Uint16Array.of(0, 127)],
    ['int32', Int32Array.of(0, 127)],
    ['uint32', Uint32Array.of(0, 127)],
    ['uint64', BigUint64Array.of(0n, 127n)],
  ])('may be int64 for %s', (type, data) => {
    expect(decode(file('<i8', BigInt64Array.of(0n, 127n)), spec({ type }))).toMatchObject({ type, data });
  });

  it.each<[string, string, Float64Array | BigInt64Array, TensorType, RegExp]>([
    [
      'a float64 too large for float32',
      '<f8',
      Float64Array.of(0, 1e39),
      'float32',
      /^the body\[0, 1\] should fit float32 \(input x\), but is 1e\+39$/,
    ],
    [
      'a float64 that rounds to infinity in float16',
      '<f8',
      Float64Array.of(65_520, 0),
      'float16',
      /^the body\[0, 0\] should fit float16 \(input x\), but is 65520$/,
    ],
    ['an int64 above int8', '<i8', BigInt64Array.of(0n, 128n), 'int8', /^the body\[0, 1\] .*, but is 128$/],
    ['an int64 below int8', '<i8', BigInt64Array.of(-129n, 0n), 'int8', /^the body\[0, 0\] .*, but is -129$/],
    ['a negative int64 for uint8', '<i8', BigInt64Array.of(-1n, 0n), 'uint8', /should fit uint8/],
    ['a negative int64 for uint64', '<i8', BigInt64Array.of(-1n, 0n), 'uint64', /should fit uint64/],
    [
      'an int64 that is in range of int32 only when it loses its upper half',
      '<i8',
      BigInt64Array.of(2n ** 62n + 5n, 0n),
      'int32',
      /should fit int32 \(input x\), but is 4611686018427387909$/,
    ],
    [
      'float64 for integers',
      '<f8',
      Float64Array.of(1, 2),
      'int64',
      /^the body is "<f8" \(float64\), but input x should be int64: convert it with \.astype\(np\.int64\)$/,
    ],
    [
      'int64 for floats',
      '<i8',
      BigInt64Array.of(1n, 2n),
      'float32',
      /is "<i8" \(int64\), but .*np\.float32\)/,
    ],
    ['int64 for booleans', '<i8', BigInt64Array.of(1n, 0n), 'bool', /\.astype\(np\.bool_\)$/],
  ])('is refused: %s', (_, descr, data, type, message) => {
    expect(() => decode(file(descr, data), spec({ type }))).toThrow(refusal(message));
  });
});

describe('a .npy request that does not fit', () => {
  const strings = spec({ type: 'string', shape: [undefined] });
  const booleans = spec({ type: 'bool', shape: [undefined] });

  it.each<[string, Uint8Array, readonly TensorSpec[], RegExp]>([
    ['nothing', bytesOf(), [], /^the body is empty: expected a \.npy file/],
    ['JSON', Buffer.from('[[1, 2]]'), [], /^the body should start with \\x93NUMPY, .*"\[\[1, 2\]\]"$/],
    ['a zip', Buffer.from('PK\x03\x04'), [], /looks like \.npz: send that as application\/x-npz/],
    [
      'version 0.1',
      npy({ version: [0, 1] }),
      [],
      /^the body is \.npy version 0\.1, but should be 1\.0, 2\.0/,
    ],
    ['version 1.1', npy({ version: [1, 1] }), [], /version 1\.1/],
    ['version 4.0', npy({ version: [4, 0] }), [], /version 4\.0/],
    ['a file that ends within the length of its header', npy().subarray(0, 9), [], /^the body is cut off/],
    [
      'a header that reaches beyond the file',
      npy({ headerBytes: 999 }),
      [],
      /^the body is cut off: its header should end at byte 1009, but it has \d+ bytes$/,
    ],
    [
      'a header longer than NumPy reads',
      npy({ version: [2, 0], headerBytes: 2 ** 32 - 1 }),
      [],
      /^the body has a header of 4294967295 bytes, but should have at most 10000: write it with np\.save$/,
    ],
    [
      'objects (pickle)',
      fromBase64(NUMPY_OBJECTS),
      [],
      /^the body is "\|O", Python objects \(pickle\), which are never loaded; input x should be float32: convert it with \.astype\(np\.float32\)$/,
    ],
    [
      'a structured dtype',
      fromBase64(NUMPY_STRUCTURED),
      [],
      /^the body has a structured dtype .*: send each field as an input of its own/,
    ],
    [
      'a structured dtype with names beyond ASCII (version 3.0)',
      npy({ version: [3, 0], descr: "[('größe', '<f8')]" }),
      [],
      /^the body has a structured dtype "\[\('größe'/,
    ],
    ['six bytes', Buffer.from('\x93NUMPY', 'latin1'), [], /^the body is cut off/],
    [
      'another type',
      npy({ descr: "'<i4'" }),
      [],
      /^the body is "<i4" \(int32\), but input x should be float32: convert it with \.astype\(np\.float32\)$/,
    ],
    ['numbers for strings', npy({ shape: '(4,)' }), [strings], /should be string: .*\.astype\(str\)$/],
    ['a type that no model has', npy({ descr: "'<c8'" }), [], /^the body is "<c8", but input x/],
    ['a type of two bytes without a byte order', npy({ descr: "'f4'" }), [], /^the body is "f4", but/],
    ['strings without a width', npy({ descr: "'<U0'", shape: '(9,)' }), [strings], /^the body is "<U0", but/],
    [
      'too few dimensions',
      npy({ shape: '(4,)' }),
      [],
      /^the body has the shape \[4\], but should have 2 dimensions \(input x has the shape \[any, 2\]\)$/,
    ],
    [
      'another size of a fixed dimension',
      npy({ shape: '(1, 4)' }),
      [],
      /^the body has the shape \[1, 4\], but dimension 1 should be 2 \(input x has the shape \[any, 2\]\)$/,
    ],
    [
      'no rows',
      npy({ shape: '(0, 2)', data: bytesOf() }),
      [],
      /^the body has the shape \[0, 2\], which is empty: send at least one value$/,
    ],
    [
      'a shape beyond all numbers',
      npy({ shape: '(9007199254740991, 2)' }),
      [],
      /^the body has the shape \[9007199254740991, 2\], which is too large/,
    ],
    ['a shape that makes infinity', npy({ shape: `(${'9'.repeat(400)}, 2)` }), [], /which is too large/],
    [
      'more dimensions than NumPy has',
      npy({ shape: `(${'1, '.repeat(65)})` }),
      [],
      /^the body has 65 dimensions, but NumPy's arrays have at most 64/,
    ],
    [
      'too little data',
      npy({ data: FOUR_FLOATS.subarray(1) }),
      [],
      /^the body has 15 bytes after its header, but 4 elements of "<f4" take 16$/,
    ],
    [
      'too much data',
      npy({ data: bytesOf(...FOUR_FLOATS, 0) }),
      [],
      /^the body has 17 bytes after its header, but 4 elements of "<f4" take 16$/,
    ],
    [
      'a boolean that is neither 0 nor 1',
      npy({ descr: "'|b1'", shape: '(2,)', data: bytesOf(1, 2) }),
      [booleans],
      /^the body: element 1 should be 0 or 1 \(bool\), but is 2$/,
    ],
    [
      'a code point beyond Unicode',
      npy({ descr: "'<U1'", shape: '(2,)', data: bytesOfData(Uint32Array.of(0x61, 0x110000)) }),
      [strings],
      /^the body: string 1 has 0x110000, which is no Unicode code point$/,
    ],
    [
      'the first half of a surrogate pair',
      npy({ descr: "'<U1'", shape: '(1,)', data: bytesOfData(Uint32Array.of(0xd800)) }),
      [strings],
      /^the body: string 0 has 0xd800, which/,
    ],
    [
      'the second half of a surrogate pair',
      npy({ descr: "'<U1'", shape: '(1,)', data: bytesOfData(Uint32Array.of(0xdfff)) }),
      [strings],
      /^the body: string 0 has 0xdfff, which/,
    ],
    [
      'a single float64 too large for float32',
      npy({ descr: "'<f8'", shape: '()', data: bytesOfData(Float64Array.of(1e39)) }),
      [spec({ shape: [] })],
      /^the body should fit float32 \(input x\), but is 1e\+39$/,
    ],
    [
      'bytes that are no UTF-8',
      npy({ descr: "'|S2'", shape: '(2,)', data: bytesOf(0x61, 0x62, 0xe9, 0) }),
      [strings],
      /^the body: string 1 is not UTF-8: decode it first/,
    ],
    [
      'millions of short strings, which take far more memory than their bytes',
      npy({ descr: "'|S1'", shape: `(${2 ** 21 + 1},)`, data: new Uint8Array(2 ** 21 + 1) }),
      [strings],
      /^the body has 2097153 strings, but a request may have at most 2097152$/,
    ],
    [
      'a model with several inputs',
      npy(),
      [spec(), spec({ name: 'z' })],
      /^a \.npy file holds one array, and the model has 2 inputs: send application\/x-npz \(np\.savez\)$/,
    ],
  ])('is refused: %s', (_, bytes, inputs, message) => {
    expect(() => decode(bytes, ...inputs)).toThrow(refusal(message));
  });

  const dict = (...entries: readonly string[]) => `{${entries.join(', ')}}`;
  const DESCR = "'descr': '<f4'";
  const ORDER = "'fortran_order': False";
  const SHAPE = "'shape': (2, 2)";

  it.each([
    ['nothing in it', ''],
    ['no dict', "('<f4', False, (2, 2))"],
    ['an entry too few', dict(DESCR, ORDER)],
    ['an entry too many', dict(DESCR, ORDER, SHAPE, "'more': 1")],
    ['an entry twice', dict(DESCR, ORDER, SHAPE, SHAPE)],
    ['two commas', dict(DESCR, `${ORDER},`, SHAPE)],
    ['no comma', dict(`${DESCR} ${ORDER}`, SHAPE)],
    ['something behind it', `${dict(DESCR, ORDER, SHAPE)} + {}`],
    ['two lines', `${dict(DESCR, ORDER, SHAPE)}\n\n`],
    ['code', dict(DESCR, ORDER, "'shape': __import__('os').sizes")],
    ['spaces that are none to Python', `{${DESCR}, ${ORDER}, ${SHAPE},\xa0}`],
    ['an escape', dict("'descr': '\\x3cf4'", ORDER, SHAPE)],
    ['quotes that do not match', dict(`'descr': '<f4"`, ORDER, SHAPE)],
    ['an order that is no boolean', dict(DESCR, "'fortran_order': 'True'", SHAPE)],
    ['a type that is no string', dict("'descr': True", ORDER, SHAPE)],
    ['a shape that is no tuple', dict(DESCR, ORDER, "'shape': (4)")],
    ['a shape of a comma', dict(DESCR, ORDER, "'shape': (,)")],
    ['a negative size', dict(DESCR, ORDER, "'shape': (-2, -2)")],
    ['a size that is no whole number', dict(DESCR, ORDER, "'shape': (2.0, 2)")],
    ['a size with zeros before it', dict(DESCR, ORDER, "'shape': (02, 2)")],
    ['a size of Python 2', dict(DESCR, ORDER, "'shape': (2L, 2L)")],
  ])('is refused: a header with %s', (_, header) => {
    expect(() => decode(npy({ header }))).toThrow(
      refusal(/^the body should have a header such as \{'descr': .*, but has ".*: write it with np\.save$/),
    );
  });

  it('is refused wherever it is cut off', () => {
    const bytes = npy();

    for (let end = 0; end < bytes.length; end++) {
      expect(faultOf(() => decode(bytes.subarray(0, end)))).toBe('ValidationError');
    }
  });

  it('never fails but on purpose, whatever is wrong with it', () => {
    const bytes = npy();

    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const other = Uint8Array.from(bytes);
        other[at] = byte;
        expect(['ValidationError', undefined]).toContain(faultOf(() => decode(other)));
      }),
      { numRuns: 500 },
    );
  });
});

const faultOf = (run: () => unknown): unknown => {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof ServingError ? error.code : error;
  }
};

describe('a .npy answer', () => {
  it.each(NUMPY_TYPES)('of %s is what NumPy would write, byte for byte', (type, shape, data, base64) => {
    expect(Buffer.from(encodeNpy([tensor(data, shape, { type })])).toString('base64')).toBe(base64);
  });

  it('has its elements aligned for any rank, so that NumPy can map them into memory', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { maxLength: 8 }), (shape) => {
        expect(encodeNpy([tensor(new Float32Array(0), shape)]).length % 64).toBe(0);
      }),
    );
  });

  it.each([
    [0, 128],
    [1, 128],
    [14, 128],
    [15, 192],
    [35, 192],
    [36, 256],
  ])('of rank %i has a header as long as that of NumPy 2.4.6', (rank, length) => {
    expect(encodeNpy([tensor(new Float32Array(0), Array<number>(rank).fill(1))]).length).toBe(length);
  });

  it('may have no elements', () => {
    const bytes = encodeNpy([tensor([], [0, 2], { type: 'string' })]);

    expect(Buffer.from(bytes).toString('latin1')).toMatch(/'descr': '<U1', .*'shape': \(0, 2\), \} *\n$/);
  });

  it.each<[string, readonly Tensor[], RegExp]>([
    [
      'several outputs',
      [tensor(['a'], [1], { type: 'string' }), tensor(Float32Array.of(1), [1])],
      /^a \.npy file holds one array, and the model has 2 outputs: ask for application\/x-npz \(Accept\)$/,
    ],
    [
      'a string that ends with a zero, which NumPy would drop',
      [tensor(['a', 'b\0'], [2], { type: 'string' })],
      /^output y has a string \(1\) that \.npy cannot hold, "b\\u0000": ask for application\/json \(Accept\)$/,
    ],
    [
      'half of a surrogate pair',
      [tensor(['\ud83d'], [1], { type: 'string' })],
      /^output y has a string \(0\) that \.npy cannot hold, "\\ud83d"/,
    ],
    [
      'one long string among many, since all are as wide',
      [tensor(['a'.repeat(20_000), ...Array<string>(1000).fill('')], [1001], { type: 'string' })],
      /^output y has 1001 strings of up to 20000 characters, which is too large for \.npy/,
    ],
  ])('is refused: %s', (_, outputs, message) => {
    expect(() => encodeNpy(outputs)).toThrow(refusal(message));
  });

  it.each(tensorTypes)('of %s reads back as the same tensor', (type) => {
    fc.assert(
      fc.property(anyTensor(type, fc.integer({ min: 0, max: 4 })), (x) => {
        fc.pre(type !== 'string' || !(x.data as string[]).some((text) => text.endsWith('\0')));
        expect(decode(encodeNpy([x]), { ...x, shape: anyShape(x.shape) })).toEqual(x);
      }),
      { numRuns: 60 },
    );
  });
});
