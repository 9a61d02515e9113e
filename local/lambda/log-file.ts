import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_BYTES = 10 * 1024 * 1024;

export interface LogFile {
  append(text: string): void;
}

/** A function's log; when it has grown to 10 MiB it becomes `<file>.1` and a new one begins. */
export const openLogFile = (path: string): LogFile => {
  mkdirSync(dirname(path), { recursive: true });
  let sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;

  return {
    append(text) {
      if (sizeBytes > MAX_BYTES) {
        renameSync(path, `${path}.1`);
        sizeBytes = 0;
      }
      appendFileSync(path, text);
      sizeBytes += Buffer.byteLength(text);
    },
  };
};
