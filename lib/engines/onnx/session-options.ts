import type { InferenceSession } from 'onnxruntime-node';
import { ServingError } from '../../errors.ts';

/**
 * Threads that all sessions of a worker may have beside the one that calls: Lambda allows 1,024 (Lambda quotas), and a
 * pool per session would meet that near 1,000 models (microsoft/onnxruntime#23523).
 */
export const MAX_EXTRA_THREADS = 256;

/** More than Lambda has vCPUs (6 at 10,240 MB) can use is only a cost. */
const MAX_THREADS_PER_POOL = 16;

/**
 * One thread a session: an environment serves one call at a time anyway. Without the arena an idle model keeps no scratch
 * memory, and without prepacking it keeps no second copy of its weights: a 4 MB matrix took 4.1 MB instead of 7.3 MB and
 * opened in 6 ms instead of 11 ms; one row ran as fast (75 against 90 us), 32 rows slower (1.1 against 0.8 ms).
 */
const DEFAULTS = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  enableCpuMemArena: false,
  // Threads that wait do so asleep: spinning would take the vCPU from the call that runs.
  extra: {
    session: {
      disable_prepacking: '1',
      intra_op: { allow_spinning: '0' },
      inter_op: { allow_spinning: '0' },
    },
  },
  // What fails is thrown, and told there; the log would have it a second time, with paths of the build machine.
  logSeverityLevel: 4,
} as const satisfies InferenceSession.SessionOptions;

const LEVELS = { NO_OPT: 'disabled', BASIC_OPT: 'basic', EXTENDED_OPT: 'extended', ALL_OPT: 'all' } as const;
const MODES = { SEQUENTIAL: 'sequential', PARALLEL: 'parallel' } as const;
const SWITCHES = { true: true, false: false } as const;

/**
 * onnxruntime's options for a model, from the `option.` keys of its serving.properties as DJL Serving names them
 * (configurations_model.md).
 * @param usualLevel of optimization, where they name none
 * @throws ServingError ModelError naming the key, what came and what was expected.
 */
export const sessionOptions = (
  properties: ReadonlyMap<string, string>,
  usualLevel: 'basic' | 'all' = 'all',
): Required<Pick<InferenceSession.SessionOptions, 'intraOpNumThreads' | 'interOpNumThreads'>> &
  InferenceSession.SessionOptions => {
  const read = reader(properties);
  return {
    ...DEFAULTS,
    intraOpNumThreads: read.threads('option.intraOpNumThreads'),
    interOpNumThreads: read.threads('option.interOpNumThreads'),
    executionMode: read.oneOf('option.executionMode', MODES) ?? DEFAULTS.executionMode,
    graphOptimizationLevel: read.oneOf('option.optLevel', LEVELS) ?? usualLevel,
    enableCpuMemArena: read.oneOf('option.cpuArenaAllocator', SWITCHES) ?? DEFAULTS.enableCpuMemArena,
    enableMemPattern: read.oneOf('option.memoryPatternOptimization', SWITCHES) ?? true,
  };
};

/** Threads beside the caller's own that a session with these options starts. */
export const extraThreads = (options: { intraOpNumThreads: number; interOpNumThreads: number }): number =>
  options.intraOpNumThreads - 1 + (options.interOpNumThreads - 1);

const reader = (properties: ReadonlyMap<string, string>) => ({
  threads(key: string): number {
    const value = properties.get(key);
    if (value === undefined) return 1;
    const count = Number(value);
    if (/^\d+$/.test(value) && count >= 1 && count <= MAX_THREADS_PER_POOL) return count;
    throw badOption(key, value, `a whole number from 1 to ${MAX_THREADS_PER_POOL}`);
  },

  oneOf<T>(key: string, choices: Readonly<Record<string, T>>): T | undefined {
    const value = properties.get(key);
    if (value === undefined) return undefined;
    const choice = Object.entries(choices).find(([name]) => name.toLowerCase() === value.toLowerCase());
    if (choice === undefined) throw badOption(key, value, `one of ${Object.keys(choices).join(', ')}`);
    return choice[1];
  },
});

const badOption = (key: string, value: string, expected: string): ServingError =>
  new ServingError(
    'ModelError',
    `serving.properties: ${key} should be ${expected}, but is ${JSON.stringify(value.slice(0, 60))}`,
  );
