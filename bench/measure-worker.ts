import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../deploy/inputs.ts';

interface Pair<Value> {
  readonly ours: Value;
  readonly bare: Value;
}

/** One worker beside raw onnxruntime-node, as `npm run bench:worker` measures it. */
export interface WorkerFigures {
  /** Microseconds. */
  readonly warm: Pair<number>;
  /** Milliseconds. */
  readonly cold: Pair<number>;
  readonly memory: Pair<{
    /** Resident bytes beyond one model, for each model, in order of `MEMORY_STEPS`. */
    readonly beyondFirst: readonly number[];
    /** Resident bytes of the process with one model. */
    readonly first: number;
  }>;
}

/** Models after which bench/worker.ts looks at memory, beyond the first. */
export const MEMORY_STEPS = [100, 500, 1000, 1500, 5000] as const;

const MAX_OUTPUT_BYTES = 1024 * 1024;

/** In a process of its own, so that nothing here is part of it. */
export const measureWorker = async (): Promise<WorkerFigures> => {
  const run = promisify(execFile);
  await run(process.execPath, [join(ROOT, 'deploy', 'build.ts')]);
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'worker.ts'), '--json'], {
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  return JSON.parse(stdout) as WorkerFigures;
};
