import type { LoadedModel, RunContext } from '../../lib/engines/engine.ts';
import { mergeTensors, rowsOf, splitTensors } from '../../lib/engines/merge-tensors.ts';
import { toServingError } from '../../lib/errors.ts';
import type { JobObjects } from '../../lib/models/job-objects.ts';
import type { Encoded } from '../../lib/protocol/codecs/codec.ts';
import { requestBody } from '../../lib/protocol/codecs/request-body.ts';
import type { BatchJob, JobResult } from '../../lib/protocol/envelope.ts';
import { isTensors, type ModelRequest, readTensors, runModel, type TensorRequest } from './run-model.ts';

export interface BatchOptions {
  readonly model: string;
  readonly loaded: LoadedModel;
  /** Requests that the model is run for at once, at most. */
  readonly batchSize: number;
  readonly objects: JobObjects;
  /** How long there is for all of it, in milliseconds from now. */
  readonly remainingMs: () => number;
}

interface Pending {
  readonly job: BatchJob;
  readonly request: ModelRequest;
  /** Of models that declare their tensors. */
  readonly tensors?: TensorRequest;
}

/** A worker's memory has room for the models, and this much beside. */
const MAX_INPUT_BYTES = 32 * 1024 * 1024;

/**
 * Runs a model for jobs: `batchSize` of them at once where their tensors fit together, and one by one where they do not, or where
 * running them together fails. One job's fault is its own.
 */
export const runBatch = async (
  jobs: readonly BatchJob[],
  options: BatchOptions,
): Promise<readonly JobResult[]> => {
  const results: JobResult[] = [];
  for (let start = 0; start < jobs.length; start += options.batchSize) {
    const chunk = jobs.slice(start, start + options.batchSize);
    const outcomes = await runChunk(chunk, options);
    results.push(...outcomes);
  }
  return results;
};

const runChunk = async (jobs: readonly BatchJob[], options: BatchOptions): Promise<readonly JobResult[]> => {
  const read = await Promise.all(jobs.map((job) => settle(job, () => readJob(job, options))));
  const pending = read.flatMap((outcome) => (outcome.ok ? [outcome.value] : []));
  const together = await runTogether(pending, options);
  const written = await Promise.all(
    pending.map((each, index) =>
      settle(each.job, async () => {
        const encoded = together?.[index] ?? (await runAlone(each, options));
        await write(each.job, encoded, options.objects);
      }),
    ),
  );
  return [...read, ...written].flatMap((outcome): readonly JobResult[] => {
    if (!outcome.ok) return [outcome.result];
    return outcome.value === undefined ? [{ id: outcome.id, ok: true }] : [];
  });
};

type Outcome<Value> =
  | { readonly ok: true; readonly id: string; readonly value: Value }
  | { readonly ok: false; readonly id: string; readonly result: JobResult };

const settle = async <Value>({ id }: BatchJob, work: () => Promise<Value>): Promise<Outcome<Value>> => {
  try {
    return { ok: true, id, value: await work() };
  } catch (error) {
    const { code, message, retryAfterSeconds } = toServingError(error);
    const result = { id, ok: false, code, message } as const;
    return {
      ok: false,
      id,
      result: { ...result, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
    };
  }
};

const readJob = async (job: BatchJob, { model, loaded, objects }: BatchOptions): Promise<Pending> => {
  const { input, contentType, accept } = job;
  const body =
    'body' in input
      ? requestBody(input.body, input.isBase64Encoded, contentType)
      : requestBody((await objects.read(input, MAX_INPUT_BYTES)).toString('base64'), true, contentType);
  const request = { model, contentType, accept, body };
  return { job, request, ...(loaded.inputs && { tensors: readTensors(request, loaded.inputs) }) };
};

/** @returns the answers, or `undefined` when the jobs have to be run one by one */
const runTogether = async (
  pending: readonly Pending[],
  options: BatchOptions,
): Promise<readonly Encoded[] | undefined> => {
  const requests = pending.flatMap(({ tensors }) => (tensors === undefined ? [] : [tensors]));
  if (requests.length < 2 || requests.length < pending.length) return undefined;
  const merged = mergeTensors(requests.map(({ decoded }) => decoded.tensors));
  if (merged === undefined) return undefined;
  const rows = requests.map(({ decoded }) => rowsOf(decoded.tensors) ?? 0);
  try {
    const timeoutMs = Math.min(...pending.map(({ job }) => job.timeoutMs));
    const value = await options.loaded.run(merged, contextOf(options, timeoutMs, {}));
    const answers = isTensors(value) ? splitTensors(value, rows) : undefined;
    return answers?.map((tensors, index) => (requests[index] as TensorRequest).encode(tensors));
  } catch {
    // Whose fault it was shows when each is run alone.
    return undefined;
  }
};

const runAlone = async ({ job, request, tensors }: Pending, options: BatchOptions): Promise<Encoded> => {
  const context = contextOf(options, job.timeoutMs, job);
  if (tensors === undefined) return runModel(options.loaded, request, context);
  return tensors.encode(await options.loaded.run(tensors.decoded.tensors, context));
};

const contextOf = (
  { model, remainingMs }: BatchOptions,
  timeoutMs: number,
  { contentType, accept, customAttributes }: Partial<BatchJob>,
): RunContext => ({
  contentType,
  accept,
  remainingMs: Math.min(timeoutMs, remainingMs()),
  callers: [model],
  ...(customAttributes === undefined ? {} : { customAttributes }),
});

const write = async (
  { output }: BatchJob,
  { body, contentType }: Encoded,
  objects: JobObjects,
): Promise<void> =>
  objects.write(output, typeof body === 'string' ? Buffer.from(body) : Buffer.from(body), contentType);
