import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLine, LogSource } from './log-source.ts';
import { timeOf } from './parse-line.ts';

/** Of each file only its end is read, however long it is. */
const MAX_BYTES = 4 * 1024 * 1024;

/** What the local Lambda writes: a file per function, and the one before it. */
export const fileLogs = (directory: string, functionPrefix: string): LogSource => ({
  async read({ sinceMs, functionName }, limit) {
    const names = await readdir(directory).catch(() => []);
    const wanted = names
      .filter((name) => name.startsWith(functionPrefix) && /\.log(\.1)?$/.test(name))
      .map((name) => ({ name, functionName: name.slice(functionPrefix.length).replace(/\.log(\.1)?$/, '') }))
      .filter((file) => functionName === undefined || file.functionName === functionName)
      // The older file of a function first.
      .toSorted((a, b) => (a.name > b.name ? -1 : 1));
    const lines: LogLine[] = [];
    for (const file of wanted) {
      const text = await readEnd(join(directory, file.name));
      lines.push(...linesOf(text, file.functionName).filter(({ atMs }) => atMs >= sinceMs));
    }
    return lines.toSorted((a, b) => a.atMs - b.atMs).slice(-limit);
  },
});

const linesOf = (text: string, functionName: string): readonly LogLine[] => {
  let atMs = 0;
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    atMs = timeOf(line) ?? atMs;
    return [{ functionName, atMs, text: line }];
  });
};

const readEnd = async (path: string): Promise<string> => {
  await using file = await open(path);
  const { size } = await file.stat();
  const start = Math.max(0, size - MAX_BYTES);
  const { buffer, bytesRead } = await file.read({
    buffer: Buffer.alloc(size - start),
    position: start,
  });
  const text = buffer.toString('utf8', 0, bytesRead);
  return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
};
