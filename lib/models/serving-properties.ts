import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServingError } from '../errors.ts';

/** serving.properties as DJL Serving reads it (configurations_model.md), as far as it means something here. */
export interface ServingProperties {
  /** Every key as it stands in the file. */
  readonly all: ReadonlyMap<string, string>;
  /** The name of DJL's engine, e.g. `OnnxRuntime`. */
  readonly engine: string | undefined;
  readonly minWorkers: number | undefined;
  readonly maxWorkers: number | undefined;
  readonly maxIdleSeconds: number | undefined;
  readonly batchSize: number | undefined;
  readonly maxBatchDelayMs: number | undefined;
  readonly requiredMemoryBytes: number | undefined;
  /** `option.model_id`: where the weights are, when they are not in the archive. */
  readonly modelId: string | undefined;
  /** Keys that mean nothing here, and what becomes of them: for a log line, and for the model's description. */
  readonly notes: readonly string[];
}

const FILE = 'serving.properties';
const MAX_BYTES = 64 * 1024;
const MB = 1024 * 1024;

const READ = new Set([
  'engine',
  'minWorkers',
  'maxWorkers',
  'max_idle_time',
  'batch_size',
  'max_batch_delay',
  'required_memory_mb',
  'option.model_id',
  'option.intraOpNumThreads',
  'option.interOpNumThreads',
  'option.executionMode',
  'option.optLevel',
  'option.cpuArenaAllocator',
  'option.memoryPatternOptimization',
]);

/** Keys of DJL Serving that cannot apply, with the reason. */
const WITHOUT_MEANING: ReadonlyMap<string, string> = new Map([
  ['job_queue_size', 'a worker takes one request at a time, and Lambda has no queue before it'],
  ['load_on_devices', 'there is one device, the CPU'],
  ['translatorFactory', 'there is no Java; model.mjs can do its work'],
  ['log_request_metric', 'metrics go to CloudWatch'],
  ['metrics_aggregation', 'metrics go to CloudWatch'],
  ['reserved_memory_mb', 'the deployment says what is kept free (MODEL_MEMORY_MB)'],
  ['retry_threshold', 'a worker that fails is replaced by Lambda'],
  ['option.ortDevice', 'there is one device, the CPU'],
  ['option.disablePerSessionThreads', 'a session has no threads of its own unless it asks for them'],
  ['option.customOpLibrary', 'libraries of native code are not loaded'],
]);

/**
 * Reads the file of an unpacked artifact; a missing one is an empty one.
 * @throws ServingError ModelError naming the key, what came and what was expected.
 */
export const readServingProperties = async (directory: string): Promise<ServingProperties> => {
  const text = readIfThere(join(directory, FILE));
  if (text.length > MAX_BYTES) throw invalid(`has ${text.length} characters: at most ${MAX_BYTES} are read`);
  if (text === '') return NO_PROPERTIES;
  // Most artifacts have no such file, so its parser is loaded with the first that has.
  const { parseProperties } = await import('./parse-properties.ts');
  return parseServingProperties(parseProperties(text));
};

/** Synchronously: a turn of the thread pool costs several times what a small file does. */
const readIfThere = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    if (code === 'EISDIR') throw invalid('is a folder, and should be a file');
    throw error;
  }
};

/** @throws ServingError ModelError, see `readServingProperties` */
export const parseServingProperties = (all: ReadonlyMap<string, string>): ServingProperties => {
  const integer = (key: string, max: number): number | undefined => {
    const value = all.get(key);
    if (value === undefined || value === '') return undefined;
    if (/^\d{1,15}$/.test(value) && Number(value) <= max) return Number(value);
    throw invalid(
      `${key} should be a whole number from 0 to ${max}, but is ${JSON.stringify(value.slice(0, 60))}`,
    );
  };
  const minWorkers = integer('minWorkers', 1000);
  const maxWorkers = integer('maxWorkers', 1000);
  if (minWorkers !== undefined && maxWorkers !== undefined && minWorkers > maxWorkers) {
    throw invalid(`minWorkers is ${minWorkers}, which is more than maxWorkers, ${maxWorkers}`);
  }
  const requiredMb = integer('required_memory_mb', 10_240);
  return {
    all,
    engine: all.get('engine') || undefined,
    minWorkers,
    maxWorkers,
    maxIdleSeconds: integer('max_idle_time', 86_400 * 7),
    batchSize: integer('batch_size', 10_000),
    maxBatchDelayMs: integer('max_batch_delay', 300_000),
    requiredMemoryBytes: requiredMb === undefined ? undefined : requiredMb * MB,
    modelId: all.get('option.model_id') || undefined,
    notes: [...all.keys()].flatMap((key) => noteOn(key) ?? []),
  };
};

const noteOn = (key: string): string | undefined => {
  if (READ.has(key)) return undefined;
  if (key.startsWith('gpu.') || key.startsWith('cpu.'))
    return `${key} is not read: bounds are per model, not per device`;
  const reason = WITHOUT_MEANING.get(key);
  return reason === undefined ? `${key} is not known` : `${key} is not read: ${reason}`;
};

export const NO_PROPERTIES: ServingProperties = parseServingProperties(new Map());

const invalid = (problem: string): ServingError => new ServingError('ModelError', `${FILE}: ${problem}`);
