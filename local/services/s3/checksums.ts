import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { S3Error } from './s3-error.ts';

/** The checksums of S3's `x-amz-checksum-*` headers that are known here; crc64nvme is not. */
export const CHECKSUM_ALGORITHMS = ['crc32', 'crc32c', 'sha1', 'sha256'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** base64 */
  readonly value: string;
}

export interface Digest {
  update(chunk: Uint8Array): void;
  /** base64 */
  value(): string;
}

export const createDigest = (algorithm: ChecksumAlgorithm): Digest => {
  if (algorithm === 'crc32') return crcDigest((chunk, crc) => crc32(chunk, crc));
  if (algorithm === 'crc32c') return crcDigest(crc32c);
  const hash = createHash(algorithm);
  return {
    update: (chunk) => {
      hash.update(chunk);
    },
    value: () => hash.digest('base64'),
  };
};

const crcDigest = (next: (chunk: Uint8Array, crc: number) => number): Digest => {
  let crc = 0;
  return {
    update: (chunk) => {
      crc = next(chunk, crc);
    },
    value: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc);
      return bytes.toString('base64');
    },
  };
};

/** Castagnoli's polynomial, reflected. */
const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

const crc32c = (chunk: Uint8Array, start: number): number => {
  let crc = ~start >>> 0;
  for (const byte of chunk) crc = (CRC32C_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
};

/**
 * The checksum that a request carries in its headers, or announces for its trailer.
 * @throws S3Error NotImplemented for an algorithm that is not known here.
 */
export const announcedAlgorithm = (
  headers: Readonly<Record<string, unknown>>,
): ChecksumAlgorithm | undefined => {
  const inHeader = Object.keys(headers).find((name) => /^x-amz-checksum-(?!mode|type|algorithm)/.test(name));
  const name = (inHeader ?? String(headers['x-amz-trailer'] ?? '')).replace('x-amz-checksum-', '');
  if (name === '') return undefined;
  const algorithm = CHECKSUM_ALGORITHMS.find((each) => each === name);
  if (algorithm === undefined) {
    throw new S3Error(
      'NotImplemented',
      `The local S3 cannot verify ${name}: it has ${CHECKSUM_ALGORITHMS.join(', ')}`,
    );
  }
  return algorithm;
};
