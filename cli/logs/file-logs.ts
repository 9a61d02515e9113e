import type { Stats } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  inOrder,
  isFunctionName,
  type LogLine,
  type LogLines,
  type LogQuery,
  type LogReader,
  type LogSource,
} from './log-source.ts';
import { timeOf } from './parse-line.ts';
import { readBackwards } from './read-backwards.ts';

/** What is read of a file at a time when it grows. */
const MAX_GROWTH_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** Up to where a function's log has been read. */
interface Place {
  readonly inode: number;
  readonly byte: number;
  /** Of the last line. */
  readonly atMs: number;
}

/** What the local Lambda writes: a file per function, and the one before it (local/lambda/log-file.ts). */
export const fileLogs = (directory: string, functionPrefix: string): LogSource => {
  const pathOf = (functionName: string): string => join(directory, `${functionPrefix}${functionName}.log`);

  const functions = async (): Promise<readonly string[]> => {
    const names = await readdir(directory).catch(() => []);
    return names
      .filter((name) => name.startsWith(functionPrefix) && name.endsWith('.log'))
      .map((name) => name.slice(functionPrefix.length, -'.log'.length))
      .filter(isFunctionName)
      .toSorted();
  };

  return {
    followEveryMs: 500,
    functions,
    open: (query) =>
      createReader(query, pathOf, async () => {
        const names = await functions();
        return query.functionName === undefined ? names : names.filter((name) => name === query.functionName);
      }),
  };
};

const createReader = (
  query: LogQuery,
  pathOf: (functionName: string) => string,
  functions: () => Promise<readonly string[]>,
): LogReader => {
  const places = new Map<string, Place>();

  /** What a function's log has grown by; what has no end yet is left for later. */
  const grown = async (functionName: string): Promise<LogLines> => {
    const path = pathOf(functionName);
    const found = await statOf(path);
    if (found === undefined) return { lines: [], isCut: false };
    const place = places.get(functionName) ?? { inode: found.ino, byte: 0, atMs: 0 };
    if (place.inode === found.ino) {
      const byte = found.size < place.byte ? 0 : place.byte;
      const { lines, next } = await readGrowth(path, functionName, { ...place, byte });
      places.set(functionName, next);
      return { lines, isCut: false };
    }
    // It has become `<file>.1`: that one to its end first.
    const isThere = (await statOf(`${path}.1`))?.ino === place.inode;
    const rest = isThere ? await readGrowth(`${path}.1`, functionName, place) : undefined;
    const isDone = rest === undefined || rest.lines.length === 0;
    places.set(functionName, isDone ? { inode: found.ino, byte: 0, atMs: place.atMs } : rest.next);
    const next = await grown(functionName);
    return { lines: [...(rest?.lines ?? []), ...next.lines], isCut: !isThere || next.isCut };
  };

  return {
    async last(limit) {
      const lines: LogLine[] = [];
      for (const functionName of await functions()) {
        const path = pathOf(functionName);
        const recent = await readEnd(path, functionName, query, limit);
        if (recent.place !== undefined) places.set(functionName, recent.place);
        const older =
          recent.lines.length < limit ? await readEnd(`${path}.1`, functionName, query, limit) : undefined;
        lines.push(...(older?.lines ?? []), ...recent.lines);
        if (lines.length > 10 * limit) lines.splice(0, lines.length, ...inOrder(lines).slice(-limit));
      }
      return { lines: inOrder(lines).slice(-limit), isCut: false };
    },

    async more() {
      const found: LogLines[] = [];
      for (const functionName of await functions()) found.push(await grown(functionName));
      const { isWanted = () => true } = query;
      return {
        lines: inOrder(found.flatMap(({ lines }) => lines).filter(isWanted)),
        isCut: found.some(({ isCut }) => isCut),
      };
    },
  };
};

const statOf = (path: string): Promise<Stats | undefined> => stat(path).catch(() => undefined);

/** The last lines of a file that are wanted: from its end, and no further than it takes. */
const readEnd = async (
  path: string,
  functionName: string,
  { sinceMs, isWanted = () => true }: LogQuery,
  limit: number,
): Promise<{ readonly lines: readonly LogLine[]; readonly place?: Place }> => {
  const opened = await open(path).catch(() => undefined);
  if (opened === undefined) return { lines: [] };
  await using file = opened;
  const { ino, size } = await file.stat();
  const byte = await endOfLastLine(file, size);
  let lines: readonly LogLine[] = [];
  let atMs = 0;
  for await (const found of readBackwards(file, byte, timeOf)) {
    if (atMs === 0) atMs = found.at(-1)?.atMs ?? 0;
    const recent = found
      .filter((line) => line.atMs >= sinceMs)
      .map((line): LogLine => ({ functionName, ...line }));
    lines = [...recent.filter(isWanted), ...lines].slice(-limit);
    if (recent.length === 0 || lines.length === limit) break;
  }
  return { lines, place: { inode: ino, byte, atMs } };
};

/** A line is written in pieces: the one that has no end yet is for later. */
const endOfLastLine = async (file: FileHandle, size: number): Promise<number> => {
  const start = Math.max(0, size - MAX_GROWTH_BYTES);
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start });
  const found = bytesRead === 0 ? -1 : buffer.lastIndexOf(NEWLINE, bytesRead - 1);
  if (found !== -1) return start + found + 1;
  return start === 0 ? 0 : size;
};

const readGrowth = async (
  path: string,
  functionName: string,
  place: Place,
): Promise<{ readonly lines: readonly LogLine[]; readonly next: Place }> => {
  const opened = await open(path).catch(() => undefined);
  if (opened === undefined) return { lines: [], next: place };
  await using file = opened;
  const { buffer, bytesRead } = await file.read({
    buffer: Buffer.alloc(MAX_GROWTH_BYTES),
    position: place.byte,
  });
  // A line that fills it all is taken in pieces.
  const isFull = bytesRead === MAX_GROWTH_BYTES;
  const end = buffer.lastIndexOf(NEWLINE, bytesRead - 1) + 1 || (isFull ? bytesRead : 0);
  let { atMs } = place;
  const lines = buffer
    .toString('utf8', 0, bytesRead === 0 ? 0 : end)
    .split('\n')
    .filter((text) => text !== '')
    .map((text): LogLine => {
      atMs = timeOf(text) ?? atMs;
      return { functionName, atMs, text };
    });
  return { lines, next: { ...place, byte: place.byte + (bytesRead === 0 ? 0 : end), atMs } };
};
