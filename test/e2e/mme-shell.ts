import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../../deploy/inputs.ts';

export const MAIN = join(ROOT, 'cli', 'main.ts');

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly tookMs: number;
}

/** Runs something as a user does, in a process of its own, with `.local` in this directory. */
export const runIn =
  (directory: string) =>
  (program: string, args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> =>
    new Promise((resolve) => {
      const startedMs = performance.now();
      execFile(
        program,
        [...args],
        { env: { ...process.env, LOCAL_DIR: directory, ...environment }, timeout: 30_000 },
        (error, out, err) =>
          resolve({
            code: error === null ? 0 : Number(error.code),
            out,
            err,
            tookMs: performance.now() - startedMs,
          }),
      );
    });
