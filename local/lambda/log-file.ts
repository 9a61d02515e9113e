import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_BYTES = 10 * 1024 * 1024;

export interface LogFile {
  append(text: string): void;
  /** What comes later, from the pipe of a process that has just ended, is dropped. */
  close(): void;
}

/** A function's log; when it has grown to 10 MiB it becomes `<file>.1` and a new one begins. */
export const openLogFile = (path: string): LogFile => {
  mkdirSync(dirname(path), { recursive: true });
  let sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let file: number | undefined = openSync(path, 'a');

  const rotate = (old: number): number => {
    closeSync(old);
    renameSync(path, `${path}.1`);
    sizeBytes = 0;
    return openSync(path, 'a');
  };

  return {
    append(text) {
      if (file === undefined) return;
      if (sizeBytes > MAX_BYTES) file = rotate(file);
      sizeBytes += writeSync(file, text);
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
};
