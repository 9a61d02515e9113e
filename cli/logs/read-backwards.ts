import type { FileHandle } from 'node:fs/promises';

export interface TimedText {
  readonly atMs: number;
  readonly text: string;
}

const CHUNK_BYTES = 256 * 1024;
/** A line, or lines without a time in a row, that are longer are left out. */
const MAX_BLOCK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * The lines of a file from its end to its beginning, some of them at a time, in the order of the file. A line without a
 * time has that of the one before, and comes with it. Of the file no more is held than a block and a chunk.
 */
export async function* readBackwards(
  file: FileHandle,
  endByte: number,
  timeOf: (text: string) => number | undefined,
): AsyncGenerator<readonly TimedText[]> {
  let later: Buffer = Buffer.alloc(0);
  let end = endByte;
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const chunk = await readFully(file, start, end);
    end = start;
    const bytes = Buffer.concat([chunk, later]);
    const first = start === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
    const isWhole = start === 0 || first > 0;
    const { before, lines } = isWhole ? fromFirstTimed(bytes, first, timeOf) : { before: bytes, lines: [] };
    later = before.length > MAX_BLOCK_BYTES ? Buffer.alloc(0) : before;
    if (lines.length > 0) yield lines;
  }
}

const readFully = async (file: FileHandle, start: number, end: number): Promise<Buffer> => {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(end - start), position: start });
  return buffer.subarray(0, bytesRead);
};

/** What is before the first line with a time belongs to the chunk before. */
const fromFirstTimed = (
  bytes: Buffer,
  first: number,
  timeOf: (text: string) => number | undefined,
): { readonly before: Buffer; readonly lines: readonly TimedText[] } => {
  const lines: TimedText[] = [];
  let before: Buffer | undefined;
  let atMs = 0;
  for (let start = first; start < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found === -1 ? bytes.length : found;
    const text = bytes.toString('utf8', start, end);
    const ownMs = timeOf(text);
    if (ownMs !== undefined) before ??= bytes.subarray(0, start);
    atMs = ownMs ?? atMs;
    if (before !== undefined && text !== '') lines.push({ atMs, text });
    start = end + 1;
  }
  return { before: before ?? bytes, lines };
};
