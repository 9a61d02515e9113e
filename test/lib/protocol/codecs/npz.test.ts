import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor, TensorSpec } from '../../../../lib/engines/engine.ts';
import { ServingError } from '../../../../lib/errors.ts';
import { encodeNpy } from '../../../../lib/protocol/codecs/npy.ts';
import { decodeNpz, encodeNpz } from '../../../../lib/protocol/codecs/npz.ts';
import { anyTensor, spec, tensor, tensorTypes } from '../../../fixtures/tensors.ts';

/** Written by NumPy 2.4.6 (x=np.float32([[1.5, -2]]), z=np.array([True])), base64. A stream is one that cannot seek. */
const NUMPY = [
  [
    'np.savez',
    'UEsDBC0AAAAAAAAAIQD9z6UI//////////8FABQAeC5ucHkBABAAiAAAAAAAAACIAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAADAPwAAAMBQSwMELQAAAAAAAAAhALo0LnP//////////wUAFAB6Lm5weQEAEACBAAAAAAAAAIEAAAAAAAAAk05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBUEsBAi0DLQAAAAAAAAAhAP3PpQiIAAAAiAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAi0DLQAAAAAAAAAhALo0LnOBAAAAgQAAAAUAAAAAAAAAAAAAAIABvwAAAHoubnB5UEsFBgAAAAACAAIAZgAAAHcBAAAAAA==',
  ],
  [
    'np.savez_compressed',
    'UEsDBC0AAAAIAAAAIQD9z6UI//////////8FABQAeC5ucHkBABAAiAAAAAAAAABNAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoY6CkaaOgq1CmQDLgaGA/YMQAIAUEsDBC0AAAAIAAAAIQC6NC5z//////////8FABQAei5ucHkBABAAgQAAAAAAAABFAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF6TZKiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoY6mjoKtQoUAC5GAFBLAQItAy0AAAAIAAAAIQD9z6UITQAAAIgAAAAFAAAAAAAAAAAAAACAAQAAAAB4Lm5weVBLAQItAy0AAAAIAAAAIQC6NC5zRQAAAIEAAAAFAAAAAAAAAAAAAACAAYQAAAB6Lm5weVBLBQYAAAAAAgACAGYAAAAAAQAAAAA=',
  ],
  [
    'np.savez to a stream',
    'UEsDBC0ACAAAAAAAIQAAAAAA//////////8FABQAeC5ucHkBABAAAAAAAAAAAAAAAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAADAPwAAAMBQSwcI/c+lCIgAAAAAAAAAiAAAAAAAAABQSwMELQAIAAAAAAAhAAAAAAD//////////wUAFAB6Lm5weQEAEAAAAAAAAAAAAAAAAAAAAAAAk05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBUEsHCLo0LnOBAAAAAAAAAIEAAAAAAAAAUEsBAi0DLQAIAAAAAAAhAP3PpQiIAAAAiAAAAAUAAAAAAAAAAAAAAIABAAAAAHgubnB5UEsBAi0DLQAIAAAAAAAhALo0LnOBAAAAgQAAAAUAAAAAAAAAAAAAAIAB1wAAAHoubnB5UEsFBgAAAAACAAIAZgAAAKcBAAAAAA==',
  ],
  [
    'np.savez_compressed to a stream',
    'UEsDBC0ACAAIAAAAIQAAAAAA//////////8FABQAeC5ucHkBABAAAAAAAAAAAAAAAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoY6CkaaOgq1CmQDLgaGA/YMQAIAUEsHCP3PpQhNAAAAAAAAAIgAAAAAAAAAUEsDBC0ACAAIAAAAIQAAAAAA//////////8FABQAei5ucHkBABAAAAAAAAAAAAAAAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF6TZKiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GoY6mjoKtQoUAC5GAFBLBwi6NC5zRQAAAAAAAACBAAAAAAAAAFBLAQItAy0ACAAIAAAAIQD9z6UITQAAAIgAAAAFAAAAAAAAAAAAAACAAQAAAAB4Lm5weVBLAQItAy0ACAAIAAAAIQC6NC5zRQAAAIEAAAAFAAAAAAAAAAAAAACAAZwAAAB6Lm5weVBLBQYAAAAAAgACAGYAAAAwAQAAAAA=',
  ],
] as const;

const X: Tensor = { name: 'x', type: 'float32', shape: [1, 2], data: Float32Array.of(1.5, -2) };
const Z: Tensor = { name: 'z', type: 'bool', shape: [1], data: Uint8Array.of(1) };
const SPECS: readonly TensorSpec[] = [spec(), spec({ name: 'z', type: 'bool', shape: [undefined] })];

const decode = (bytes: Uint8Array, inputs: readonly TensorSpec[] = [spec()]) => decodeNpz(bytes, inputs);
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: 'ValidationError', message: expect.stringMatching(message) });

const DESCRIPTOR_FLAG = 0x8;

/** A member of a zip; what the headers say of it may be overridden, to lie. */
interface Member {
  readonly name: string;
  readonly content: Uint8Array;
  readonly isDeflated: boolean;
  readonly packed: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
  readonly offset: number;
  readonly extra: Uint8Array;
  readonly descriptor: Uint8Array;
  /** Extra field and comment of its entry in the directory. */
  readonly directoryExtra: Uint8Array;
  readonly comment: string;
  /** What its local header says otherwise than the directory. */
  readonly local: Partial<Omit<Member, 'local'>>;
}

const member = (overrides: Partial<Member> = {}): Partial<Member> => ({
  name: 'x.npy',
  content: encodeNpy([X]),
  ...overrides,
});

const u16 = (...values: readonly number[]) => Buffer.from(Uint16Array.from(values).buffer);
const u32 = (...values: readonly number[]) => Buffer.from(Uint32Array.from(values).buffer);
const u64 = (...values: readonly number[]) => Buffer.from(BigUint64Array.from(values.map(BigInt)).buffer);

const complete = ({ content = Buffer.alloc(0), isDeflated = false, ...given }: Partial<Member>) => {
  const packed = given.packed ?? (isDeflated ? deflateRawSync(content) : content);
  return {
    name: 'x.npy',
    packed,
    flags: 0,
    method: isDeflated ? 8 : 0,
    crc: crc32(content),
    size: content.length,
    packedSize: packed.length,
    extra: Buffer.alloc(0),
    descriptor: Buffer.alloc(0),
    directoryExtra: Buffer.alloc(0),
    comment: '',
    local: {},
    ...given,
  };
};

type Header = Omit<ReturnType<typeof complete>, 'local'>;

const common = ({ name, flags, method, crc, packedSize, size, extra }: Header) =>
  Buffer.concat([
    u16(20, flags, method, 0, 0x21),
    u32(crc, packedSize, size),
    u16(Buffer.byteLength(name), extra.length),
  ]);

const localHeader = (header: Header) =>
  Buffer.concat([u32(0x04034b50), common(header), Buffer.from(header.name), header.extra]);

interface Layout {
  readonly before?: Uint8Array;
  readonly beforeDirectory?: Uint8Array;
  readonly afterDirectory?: Uint8Array;
  readonly behind?: Uint8Array;
  readonly disk?: number;
  readonly count?: number;
  readonly directoryBytes?: number;
  readonly comment?: string;
}

/** A zip written by the book, unless told otherwise. */
const zip = (members: readonly Partial<Member>[], layout: Layout = {}): Buffer => {
  const empty = Buffer.alloc(0);
  const { before = empty, beforeDirectory = empty, afterDirectory = empty, behind = empty } = layout;
  let parts: Buffer = Buffer.from(before);
  let directory: Buffer = empty;
  for (const { local, ...header } of members.map(complete)) {
    const central = common({ ...header, extra: header.directoryExtra });
    const position = [u16(header.comment.length), Buffer.alloc(8), u32(header.offset ?? parts.length)];
    const variable = [Buffer.from(header.name), header.directoryExtra, Buffer.from(header.comment)];
    directory = Buffer.concat([directory, u32(0x02014b50), u16(20), central, ...position, ...variable]);
    parts = Buffer.concat([parts, localHeader({ ...header, ...local }), header.packed, header.descriptor]);
  }
  parts = Buffer.concat([parts, beforeDirectory]);
  const count = layout.count ?? members.length;
  const comment = Buffer.from(layout.comment ?? '');
  const end = [
    u32(0x06054b50),
    u16(layout.disk ?? 0, layout.disk ?? 0, count, count),
    u32(layout.directoryBytes ?? directory.length, parts.length),
    u16(comment.length),
    comment,
  ];
  return Buffer.concat([parts, directory, afterDirectory, ...end, behind]);
};

/** A good zip, in which some bytes of the first local header are others. */
const patched = (at: number, ...bytes: readonly number[]): Buffer => {
  const good = zip([member()]);
  good.set(bytes, at);
  return good;
};

/** Only the directory of a zip and its end, which says that they are all there is. */
const directoryOf = (bytes: Buffer): Buffer => {
  const directory = Buffer.from(bytes.subarray(bytes.readUInt32LE(bytes.length - 6)));
  directory.writeUInt32LE(0, directory.length - 6);
  return directory;
};

const zip64Extra = (size: number, packedSize = size) => Buffer.concat([u16(1, 16), u64(size, packedSize)]);
const IN_ZIP64 = { size: 0xffffffff, packedSize: 0xffffffff };
const XNPY = encodeNpy([X]);
const LENGTH = XNPY.length;
const CRC = crc32(XNPY);

describe('an .npz request', () => {
  it.each(NUMPY)('is read as %s wrote it', (_, base64) => {
    expect(decode(Buffer.from(base64, 'base64'), SPECS)).toEqual([X, Z]);
  });

  it('is in the order of the inputs, whatever the order of its members', () => {
    const z = member({ name: 'z.npy', content: encodeNpy([Z]) });

    expect(decode(zip([z, member()]), SPECS)).toEqual([X, Z]);
  });

  it.each<[string, Partial<Member>]>([
    ['a stored member', {}],
    ['a deflated member', { isDeflated: true }],
    ['the flags of a deflater that tried hard', { isDeflated: true, flags: 0x2 }],
    ['zip64 sizes before the member, as NumPy forces them', { extra: zip64Extra(LENGTH), local: IN_ZIP64 }],
    [
      'other extra fields before the member, such as times of Unix',
      { extra: Buffer.concat([u16(0x5455, 5), Buffer.alloc(5)]) },
    ],
    ['extra fields in the directory', { directoryExtra: Buffer.from(u16(0x5455, 1, 7)).subarray(0, 5) }],
    ['an empty extra field', { extra: u16(0x5455, 0) }],
    ['a comment', { comment: 'from March' }],
    [
      'a data descriptor',
      {
        flags: DESCRIPTOR_FLAG,
        local: { crc: 0, size: 0, packedSize: 0 },
        descriptor: u32(0x08074b50, CRC, LENGTH, LENGTH),
      },
    ],
    [
      'a data descriptor of zip64',
      {
        flags: DESCRIPTOR_FLAG,
        extra: zip64Extra(0),
        local: { ...IN_ZIP64, crc: 0 },
        descriptor: Buffer.concat([u32(0x08074b50, CRC), u64(LENGTH, LENGTH)]),
      },
    ],
  ])('may have %s', (_, overrides) => {
    expect(decode(zip([member(overrides)]))).toEqual([X]);
  });

  it('may have names beyond ASCII where it says that they are UTF-8', () => {
    const inputs = [spec({ name: 'größe' })];

    expect(decode(zip([member({ name: 'größe.npy', flags: 0x800 })]), inputs)).toEqual([
      { ...X, name: 'größe' },
    ]);
  });

  it('may have its members in another order than its directory', () => {
    const z = { name: 'z.npy', content: encodeNpy([Z]) };
    const bytes = zip([member(), member(z)]);
    const start = bytes.readUInt32LE(bytes.length - 6);
    const half = start + (bytes.length - 22 - start) / 2;
    const turned = [bytes.subarray(half, bytes.length - 22), bytes.subarray(start, half)];

    expect(decode(Buffer.concat([bytes.subarray(0, start), ...turned, bytes.subarray(-22)]), SPECS)).toEqual([
      X,
      Z,
    ]);
  });
});

describe('an .npz request that does not fit the model', () => {
  it.each<[string, Uint8Array, readonly TensorSpec[], RegExp]>([
    ['nothing', new Uint8Array(), SPECS, /^the body is empty: expected a \.npz file/],
    ['JSON', Buffer.from('{"x": 1}'), SPECS, /^the body should be a \.npz file, .*, but starts with "\{\\"x/],
    ['a lone array', encodeNpy([X]), SPECS, /looks like \.npy: send that as application\/x-npy/],
    [
      'a member that is no input',
      zip([member({ name: 'arr_0.npy' })]),
      SPECS,
      /^the zip has "arr_0\.npy", which is no input of the model: it should have x\.npy, z\.npy, as np\.savez\(file, \*\*\{"x": \.\.\., "z": \.\.\.\}\) writes it$/,
    ],
    ['a member without its suffix', zip([member({ name: 'x' })]), [spec()], /^the zip has "x", which/],
    [
      'an input without a member',
      zip([member()]),
      SPECS,
      /^the zip lacks z\.npy for input z: it should have x\.npy, z\.npy, as np\.savez/,
    ],
    ['no member at all', zip([]), SPECS, /^the zip lacks x\.npy for input x/],
    [
      'a member of another type',
      zip([member({ content: encodeNpy([Z]) })]),
      [spec()],
      /^x\.npy is "\|b1" \(bool\), but input x should be float32/,
    ],
    ['an empty member', zip([member({ content: Buffer.alloc(0) })]), [spec()], /^x\.npy is empty/],
    ['a member without a name', zip([member({ name: '' })]), [spec()], /^the zip has "", which is no input/],
    [
      'a member that is no array',
      zip([member({ content: Buffer.from('1,2') })]),
      [spec()],
      /^x\.npy should start/,
    ],
  ])('is refused: %s', (_, bytes, inputs, message) => {
    expect(() => decode(bytes, inputs)).toThrow(refusal(message));
  });
});

describe('a hostile or broken zip', () => {
  const big = Buffer.alloc(2 ** 20);
  const bomb = (size: number) => member({ content: big, isDeflated: true, size });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'a bomb, by the sizes that it declares',
      zip([bomb(64 * 2 ** 20), { ...bomb(1), name: 'y.npy' }]),
      /^the zip unpacks to 67108865 bytes, but may have at most 67108864$/,
    ],
    [
      'a member of the largest size there may be, that lies about it',
      zip([bomb(64 * 2 ** 20)]),
      /should have 67108864 bytes unpacked, but has 1048576/,
    ],
    ['a bomb that lies about its size', zip([bomb(100)]), /unpacks to more than the 100 bytes it declares/],
    ['a bomb that says it is empty', zip([bomb(0)]), /unpacks to more than the 1 bytes it declares/],
    [
      'a member smaller than it says',
      zip([bomb(2 ** 20 + 1)]),
      /should have 1048577 bytes unpacked, but has 1048576/,
    ],
    [
      'a stored member of two sizes',
      zip([member({ size: LENGTH - 1 })]),
      /"x\.npy" should have \d+ bytes unpacked, but has \d+/,
    ],
    [
      'a wrong CRC',
      zip([member({ crc: 1 })]),
      /^the zip is broken: "x\.npy" has a wrong CRC; write it with np\.savez$/,
    ],
    ['the same name twice', zip([member(), member()]), /^the zip has "x\.npy" twice$/],
    [
      'two entries for the same bytes (overlap)',
      zip([member(), member({ name: 'y.npy', offset: 0 })]),
      /"y\.npy" should start at byte \d+, but starts at 0/,
    ],
    [
      'a member within another one (overlap)',
      zip([member({ content: zip([member()]) }), member({ name: 'y.npy', offset: 35 })]),
      /"y\.npy" should start at byte \d+, but starts at 35/,
    ],
    [
      'a gap between members',
      zip([member({ descriptor: Buffer.alloc(4) }), member({ name: 'y.npy' })]),
      /"y\.npy" should start at byte \d+, but starts at/,
    ],
    [
      'a gap before the directory',
      zip([member()], { beforeDirectory: Buffer.alloc(9) }),
      /its directory should start at/,
    ],
    [
      'something before the first member',
      zip([member()], { before: Buffer.from('PK..') }),
      /should start at byte 0/,
    ],
    ['something behind the end', zip([member()], { behind: Buffer.alloc(1) }), /with nothing behind that/],
    [
      'a comment, in which a second directory may hide',
      zip([member()], { comment: 'hi' }),
      /with nothing behind that/,
    ],
    [
      'a gap behind the directory',
      zip([member()], { afterDirectory: Buffer.alloc(4) }),
      /its directory should fill/,
    ],
    [
      'a file cut off at the end',
      zip([member()]).subarray(0, -1),
      /should end with the end of its directory/,
    ],
    ['only a beginning', Buffer.from('PK\x03\x04'), /should end with the end of its directory/],
    ['one part of several', zip([member()], { disk: 1 }), /one part of several/],
    ['a directory with fewer members than it counts', zip([member()], { count: 2 }), /no member 1 of 2/],
    [
      'a directory with more members than it counts',
      zip([member()], { count: 0 }),
      /more than the 0 members/,
    ],
    ['a directory of zip64', zip([member()], { count: 0xffff }), /its directory is zip64/],
    [
      'a directory of zip64, by its size',
      zip([member()], { directoryBytes: 0xffffffff }),
      /its directory is zip64/,
    ],
    [
      'zip64 sizes in the directory',
      zip([member(IN_ZIP64)]),
      /"x\.npy" in the zip is zip64 in the directory/,
    ],
    ['a zip64 offset in the directory', zip([member({ offset: 0xffffffff })]), /is zip64 in the directory/],
    [
      'an encrypted member',
      zip([member({ flags: 0x1 })]),
      /^"x\.npy" in the zip is encrypted: send it without/,
    ],
    ['a strongly encrypted member', zip([member({ flags: 0x41 })]), /is encrypted/],
    ['a masked member', zip([member({ flags: 0x2000 })]), /has unknown flags \(0x2000\)/],
    ['a member that is a patch', zip([member({ flags: 0x20 })]), /has unknown flags \(0x20\)/],
    [
      'bzip2',
      zip([member({ method: 12 })]),
      /is compressed by method 12, but should be stored \(np\.savez\) or deflated/,
    ],
    ['a name that is not UTF-8', zip([member({ name: 'ü.npy' })]), /is not UTF-8/],
    [
      'a member that reaches into the directory',
      zip([member({ packedSize: LENGTH + 9 })]),
      /reaches into the directory/,
    ],
    [
      'an offset beyond the file',
      zip([member({ offset: 1e6 })]),
      /should start at byte 0, but starts at 1000000/,
    ],
    [
      'bytes that do not inflate',
      zip([member({ isDeflated: true, packed: Buffer.alloc(8, 0xff) })]),
      /does not inflate/,
    ],
    [
      'deflated bytes that are cut off',
      zip([member({ isDeflated: true, packed: deflateRawSync(XNPY).subarray(0, -3) })]),
      /does not inflate/,
    ],
    [
      'something behind the deflated bytes',
      zip([member({ isDeflated: true, packed: Buffer.concat([deflateRawSync(XNPY), Buffer.alloc(7)]) })]),
      /has 7 bytes behind its deflated ones/,
    ],
    [
      'a data descriptor with another CRC',
      zip([member({ flags: 8, descriptor: u32(0x08074b50, 1, LENGTH, LENGTH) })]),
      /the data descriptor of "x\.npy"/,
    ],
    [
      'a data descriptor without its signature',
      zip([member({ flags: 8, descriptor: u32(CRC, LENGTH, LENGTH) })]),
      /the data descriptor of "x\.npy"/,
    ],
    [
      'no data descriptor where one is announced',
      zip([member({ flags: 8 })]),
      /the data descriptor of "x\.npy"/,
    ],
    [
      'an extra field that is cut off',
      zip([member({ extra: u16(1, 16, 0) })]),
      /an extra field of "x\.npy" is cut off/,
    ],
    [
      'zip64 sizes that are cut off',
      zip([member({ extra: Buffer.concat([u16(1, 16), Buffer.alloc(12)]), local: IN_ZIP64 })]),
      /is cut off/,
    ],
    ['an extra field of less than its header', zip([member({ extra: Buffer.alloc(3) })]), /is cut off/],
    ['an extra field that reaches into the directory', patched(28, 0xff, 0xff), /disagree/],
    ['another signature than that of a member', patched(2, 0x33, 0x34), /disagree/],
    ['a directory of members that are not there', directoryOf(zip([member()])), /disagree/],
    [
      'zip64 sizes in a field of another kind',
      zip([member({ extra: Buffer.concat([u16(2, 16), u64(LENGTH, LENGTH)]), local: IN_ZIP64 })]),
      /disagree/,
    ],
    [
      'one zip64 size where there should be two',
      zip([member({ extra: Buffer.concat([u16(1, 8), u64(LENGTH)]), local: IN_ZIP64 })]),
      /disagree/,
    ],
    ['zip64 sizes without their extra field', zip([member({ local: IN_ZIP64 })]), /disagree/],
    [
      'zip64 sizes that are others',
      zip([member({ extra: zip64Extra(LENGTH + 1), local: IN_ZIP64 })]),
      /disagree/,
    ],
    [
      'zip64 sizes too large for a number',
      zip([member({ extra: Buffer.concat([u16(1, 16), Buffer.alloc(16, 0xff)]), local: IN_ZIP64 })]),
      /disagree/,
    ],
  ])('is refused: %s', (_, bytes, message) => {
    expect(() => decode(bytes)).toThrow(refusal(message));
  });

  it.each<[string, Member['local']]>([
    ['name', { name: 'y.npy' }],
    ['length of the name', { name: 'xx.npy' }],
    ['flags', { flags: 0x2 }],
    ['method', { method: 8 }],
    ['CRC', { crc: 1 }],
    ['size', { size: 1 }],
    ['packed size', { packedSize: 1 }],
    ['sizes, left open without a data descriptor', { size: 0, packedSize: 0 }],
  ])('is refused: a member and its entry in the directory that disagree about its %s', (_, local) => {
    expect(() => decode(zip([member({ local })]))).toThrow(
      refusal(
        /^the zip is broken: "x\.npy" and its entry in the directory disagree; write it with np\.savez$/,
      ),
    );
  });

  const files = NUMPY.map(([name, base64]) => [name, new Uint8Array(Buffer.from(base64, 'base64'))] as const);

  it.each(files)('is refused wherever it is cut off: %s', (_, file) => {
    for (let end = 0; end < file.length; end++) {
      expect(faultOf(() => decode(file.subarray(0, end), SPECS))).toBe('ValidationError');
    }
  });

  it.each(files)('never fails but on purpose, whatever is wrong with it: %s', (_, file) => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), (at, byte) => {
        const other = Uint8Array.from(file);
        other[at] = byte;
        expect(['ValidationError', undefined]).toContain(faultOf(() => decode(other, SPECS)));
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

describe('an .npz answer', () => {
  it('is laid out as the book says', () => {
    const names = ['x', 'größe'];
    const members = names.map((name) => member({ name: `${name}.npy`, flags: name === 'x' ? 0 : 0x800 }));

    expect(Buffer.from(encodeNpz(names.map((name) => ({ ...X, name }))))).toEqual(zip(members));
  });

  it('may have a single output', () => {
    expect(decode(encodeNpz([X]))).toEqual([X]);
  });

  it('is refused for strings that .npy cannot hold', () => {
    expect(() => encodeNpz([X, tensor(['a\0'], [1], { type: 'string' })])).toThrow(
      refusal(/^output y has a string \(0\) that \.npy cannot hold/),
    );
  });

  it('reads back as the same tensors, stored or deflated', () => {
    const any = fc
      .constantFrom(...tensorTypes)
      .chain((type) => anyTensor(type, fc.integer({ min: 0, max: 4 })));
    const tensors = fc
      .uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), {
        minLength: 1,
        maxLength: 4,
      })
      .chain((names) => fc.tuple(...names.map((name) => any.map((x) => ({ ...x, name })))));

    fc.assert(
      fc.property(tensors, fc.boolean(), (outputs, isDeflated) => {
        fc.pre(
          !outputs.some(({ data }) => Array.from<unknown>(data).some((text) => /\0$/.test(String(text)))),
        );
        const members = outputs.map((output) => ({
          name: `${output.name}.npy`,
          content: encodeNpy([output]),
          flags: 0x800,
          isDeflated,
        }));
        const inputs = outputs.map((output) => ({ ...output, shape: output.shape.map(() => undefined) }));
        expect(decode(encodeNpz(outputs), inputs)).toEqual(outputs);
        expect(decode(zip(members), inputs)).toEqual(outputs);
      }),
      { numRuns: 200 },
    );
  });
});
