import { isAscii, isUtf8 } from 'node:buffer';
import { crc32, inflateRawSync } from 'node:zlib';
import { describeValue, invalidInput } from './invalid-input.ts';

/**
 * The members of a zip (PKWARE's APPNOTE 6.3), by name, in the order of its directory. It is read strictly: the members and
 * the directory must fill the file without a gap, an overlap or a rest, and what stands before a member must agree
 * with the directory, so there is one way to read it. Stored members share memory with `bytes`.
 * @param maxBytes what the members may take unpacked, together
 * @throws ServingError ValidationError naming the member and what is wrong with it.
 */
export const readZip = (bytes: Uint8Array, maxBytes: number): ReadonlyMap<string, Uint8Array> => {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const { entries, start } = readDirectory(file);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > maxBytes) {
    throw invalidInput(`the zip unpacks to ${total} bytes, but may have at most ${maxBytes}`);
  }
  const packed = locate(file, entries, start);
  return new Map(entries.map((entry) => [entry.name, unpack(packed.get(entry) ?? NO_BYTES, entry)]));
};

/** Members are stored, not compressed: they are as large as they are. */
export const writeZip = (members: ReadonlyMap<string, Uint8Array>): Uint8Array => {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, content] of members) {
    const fileName = Buffer.from(name);
    const common = writeCommon(fileName, content);
    const local = Buffer.concat([uint32(LOCAL), common, fileName]);
    parts.push(local, content);
    // Made by version 2.0 of the format; behind the common part no comment, the first disk, no attributes.
    directory.push(uint32(CENTRAL), uint16(20), common, Buffer.alloc(10), uint32(offset), fileName);
    offset += local.length + content.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const counts = [uint16(members.size), uint16(members.size)];
  return Buffer.concat([
    ...parts,
    ...directory,
    ...[uint32(END), uint32(0), ...counts, uint32(size), uint32(offset), uint16(0)],
  ]);
};

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const DESCRIPTOR = 0x08074b50;

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;

const STORED = 0;
const DEFLATED = 8;

const ENCRYPTED = 0x1;
const HAS_DESCRIPTOR = 0x8;
const UTF8_NAME = 0x800;
/** Those three, and the two that say how hard the deflater tried. */
const KNOWN_FLAGS = ENCRYPTED | HAS_DESCRIPTOR | UTF8_NAME | 0x6;

/** Where a size does not fit 32 bits, it is this, and zip64's extra field has it. */
const IN_ZIP64 = 0xffffffff;
const ZIP64_EXTRA = 0x0001;

const NO_BYTES = new Uint8Array();

/** What the directory says of a member; what stands before it must say the same. */
interface Entry {
  readonly name: string;
  readonly rawName: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  /** Where its local header starts. */
  readonly offset: number;
}

const broken = (what: string) => invalidInput(`the zip is broken: ${what}; write it with np.savez`);

/** The record at the very end says where the directory is; a comment behind it would let a second one hide there. */
const readDirectory = (file: Buffer): { entries: readonly Entry[]; start: number } => {
  const end = file.length - END_BYTES;
  if (end < 0 || file.readUInt32LE(end) !== END || file.readUInt16LE(end + 20) !== 0) {
    throw broken('it should end with the end of its directory, with nothing behind that');
  }
  const disks = file.readUInt32LE(end + 4);
  const count = file.readUInt16LE(end + 10);
  if (disks !== 0 || file.readUInt16LE(end + 8) !== count) throw broken('it is one part of several');
  const size = file.readUInt32LE(end + 12);
  const start = file.readUInt32LE(end + 16);
  if (count === 0xffff || size === IN_ZIP64 || start === IN_ZIP64) {
    throw broken('its directory is zip64, which only files over 4 GB need');
  }
  if (start + size !== end) {
    throw broken(`its directory should fill bytes ${start} to ${end}, but is said to have ${size} bytes`);
  }
  return { entries: readEntries(file.subarray(start, end), count), start };
};

const readEntries = (directory: Buffer, count: number): readonly Entry[] => {
  const entries = new Map<string, Entry>();
  let next = 0;
  for (let index = 0; index < count; index++) {
    const isHere = next + CENTRAL_BYTES <= directory.length && directory.readUInt32LE(next) === CENTRAL;
    const length = isHere ? centralBytes(directory, next) : Number.POSITIVE_INFINITY;
    if (next + length > directory.length) throw broken(`its directory has no member ${index} of ${count}`);
    const entry = readEntry(directory.subarray(next, next + length));
    if (entries.has(entry.name)) throw invalidInput(`the zip has ${describeValue(entry.name)} twice`);
    entries.set(entry.name, entry);
    next += length;
  }
  if (next !== directory.length) throw broken(`its directory has more than the ${count} members it counts`);
  return [...entries.values()];
};

const centralBytes = (directory: Buffer, at: number): number =>
  CENTRAL_BYTES +
  directory.readUInt16LE(at + 28) +
  directory.readUInt16LE(at + 30) +
  directory.readUInt16LE(at + 32);

const readEntry = (record: Buffer): Entry => {
  const rawName = record.subarray(CENTRAL_BYTES, CENTRAL_BYTES + record.readUInt16LE(28));
  const flags = record.readUInt16LE(8);
  const isText = flags & UTF8_NAME ? isUtf8(rawName) : isAscii(rawName);
  if (!isText) throw broken(`the name ${describeValue(rawName.toString('latin1'))} is not UTF-8`);
  const entry = {
    name: rawName.toString(),
    rawName,
    flags,
    method: record.readUInt16LE(10),
    crc: record.readUInt32LE(16),
    packedSize: record.readUInt32LE(20),
    size: record.readUInt32LE(24),
    offset: record.readUInt32LE(42),
  };
  refuseUnsupported(entry);
  return entry;
};

const refuseUnsupported = ({ name, flags, method, packedSize, size, offset }: Entry): void => {
  const refuse = (what: string) => invalidInput(`${describeValue(name)} in the zip ${what}`);
  if (flags & ENCRYPTED) throw refuse('is encrypted: send it without a password');
  if (flags & ~KNOWN_FLAGS)
    throw refuse(`has unknown flags (0x${flags.toString(16)}): write it with np.savez`);
  if (method !== STORED && method !== DEFLATED) {
    throw refuse(
      `is compressed by method ${method}, but should be stored (np.savez) or deflated (np.savez_compressed)`,
    );
  }
  if ([packedSize, size, offset].includes(IN_ZIP64)) {
    throw refuse('is zip64 in the directory, which only members over 4 GB need');
  }
};

/** The packed bytes of each member. They and what belongs to them must lie end to end from 0 to the directory. */
const locate = (
  file: Buffer,
  entries: readonly Entry[],
  directoryStart: number,
): ReadonlyMap<Entry, Uint8Array> => {
  const packed = new Map<Entry, Uint8Array>();
  let next = 0;
  for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
    if (entry.offset !== next) {
      throw broken(
        `${describeValue(entry.name)} should start at byte ${next}, but starts at ${entry.offset}`,
      );
    }
    const { start, isZip64 } = readLocal(file.subarray(next, directoryStart), entry);
    const end = next + start + entry.packedSize;
    packed.set(entry, file.subarray(next + start, end));
    next = end + readDescriptor(file.subarray(end, directoryStart), entry, isZip64);
    if (next > directoryStart) throw broken(`${describeValue(entry.name)} reaches into the directory`);
  }
  if (next !== directoryStart) {
    throw broken(`its directory should start at byte ${next}, but starts at ${directoryStart}`);
  }
  return packed;
};

/** @returns where the packed bytes start, after the header */
const readLocal = (rest: Buffer, entry: Entry): { start: number; isZip64: boolean } => {
  const disagrees = () => broken(`${describeValue(entry.name)} and its entry in the directory disagree`);
  if (rest.length < LOCAL_BYTES || rest.readUInt32LE(0) !== LOCAL) throw disagrees();
  const nameEnd = LOCAL_BYTES + rest.readUInt16LE(26);
  const start = nameEnd + rest.readUInt16LE(28);
  const isSameFile =
    rest.readUInt16LE(6) === entry.flags &&
    rest.readUInt16LE(8) === entry.method &&
    start <= rest.length &&
    rest.subarray(LOCAL_BYTES, nameEnd).equals(entry.rawName);
  if (!isSameFile) throw disagrees();
  // np.savez forces zip64 here, though not in the directory: it writes to a stream, whose size it does not know yet.
  const sizes = findZip64(rest.subarray(nameEnd, start), entry.name);
  const [packedSize, size] = [18, 22].map((at) => rest.readUInt32LE(at));
  const isZip64 = sizes !== undefined && packedSize === IN_ZIP64 && size === IN_ZIP64;
  const said = isZip64 ? sizes : { packedSize, size };
  const agrees = (value: number | undefined, expected: number): boolean =>
    value === expected || ((entry.flags & HAS_DESCRIPTOR) !== 0 && value === 0);
  const isSame =
    agrees(rest.readUInt32LE(14), entry.crc) &&
    agrees(said.packedSize, entry.packedSize) &&
    agrees(said.size, entry.size);
  if (!isSame) throw disagrees();
  return { start, isZip64 };
};

const findZip64 = (extra: Buffer, name: string): { packedSize: number; size: number } | undefined => {
  let next = 0;
  while (next < extra.length) {
    const isWhole = next + 4 <= extra.length && next + 4 + extra.readUInt16LE(next + 2) <= extra.length;
    if (!isWhole) throw broken(`an extra field of ${describeValue(name)} is cut off`);
    const length = extra.readUInt16LE(next + 2);
    if (extra.readUInt16LE(next) === ZIP64_EXTRA && length >= 16) {
      return {
        size: Number(extra.readBigUInt64LE(next + 4)),
        packedSize: Number(extra.readBigUInt64LE(next + 12)),
      };
    }
    next += 4 + length;
  }
  return undefined;
};

/** CRC and sizes again, behind a member that was written to a stream that cannot go back. @returns its length */
const readDescriptor = (rest: Buffer, entry: Entry, isZip64: boolean): number => {
  if ((entry.flags & HAS_DESCRIPTOR) === 0) return 0;
  const length = isZip64 ? 24 : 16;
  const read = (at: number): number => (isZip64 ? Number(rest.readBigUInt64LE(at)) : rest.readUInt32LE(at));
  const isSame =
    rest.length >= length &&
    rest.readUInt32LE(0) === DESCRIPTOR &&
    rest.readUInt32LE(4) === entry.crc &&
    read(8) === entry.packedSize &&
    read(isZip64 ? 16 : 12) === entry.size;
  if (!isSame) throw broken(`the data descriptor of ${describeValue(entry.name)} and the directory disagree`);
  return length;
};

const unpack = (packed: Uint8Array, entry: Entry): Uint8Array => {
  const content = entry.method === STORED ? packed : inflate(packed, entry);
  if (content.length !== entry.size) {
    throw broken(
      `${describeValue(entry.name)} should have ${entry.size} bytes unpacked, but has ${content.length}`,
    );
  }
  if (crc32(content) !== entry.crc) throw broken(`${describeValue(entry.name)} has a wrong CRC`);
  return content;
};

/** The bound is the size that the directory declares, which was counted before: a member that lies stops there. */
const inflate = (packed: Uint8Array, { name, size }: Entry): Uint8Array => {
  const inflated = inflateWithin(packed, Math.max(1, size), name);
  if (inflated.readBytes === packed.length) return inflated.content;
  throw broken(
    `${describeValue(name)} has ${packed.length - inflated.readBytes} bytes behind its deflated ones`,
  );
};

const inflateWithin = (packed: Uint8Array, maxBytes: number, name: string) => {
  try {
    // The types leave out what `info` changes: it adds the engine, which knows how much of the input was used.
    const { buffer, engine } = inflateRawSync(packed, {
      maxOutputLength: maxBytes,
      info: true,
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    return { content: buffer, readBytes: engine.bytesWritten };
  } catch (cause) {
    const isLarger = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    throw broken(
      isLarger
        ? `${describeValue(name)} unpacks to more than the ${maxBytes} bytes it declares`
        : `${describeValue(name)} does not inflate (${(cause as Error).message})`,
    );
  }
};

/** What the header of a member and its entry in the directory share. Dated 1980-01-01, the first day that zips know. */
const writeCommon = (fileName: Buffer, content: Uint8Array): Buffer =>
  Buffer.concat([
    uint16(20),
    uint16(isAscii(fileName) ? 0 : UTF8_NAME),
    uint16(STORED),
    uint16(0),
    uint16(0x21),
    uint32(crc32(content)),
    uint32(content.length),
    uint32(content.length),
    uint16(fileName.length),
    uint16(0),
  ]);

const uint16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
};

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
