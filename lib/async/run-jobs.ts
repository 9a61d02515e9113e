import type { Routes } from '../catalog/routes.ts';
import type { Clock } from '../clock.ts';
import { type ErrorCode, STATUS, toServingError } from '../errors.ts';
import type { JobObjects } from '../models/job-objects.ts';
import type { BatchJob, InferenceCall, InferenceReply, JobResult } from '../protocol/envelope.ts';
import { parseJob, type QueuedJob } from './queued-job.ts';

/** A message of the queue, as Lambda's event source gives it. */
export interface Message {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly eventSourceARN: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
}

export interface RunJobsOptions {
  readonly readRoutes: () => Promise<Routes>;
  readonly dispatch: (routes: Routes, call: InferenceCall) => Promise<InferenceReply>;
  /** Where failures are written. */
  readonly objects: Pick<JobObjects, 'write'>;
  /** Makes a message come again after so many seconds. */
  readonly retryIn: (queueArn: string, receiptHandle: string, seconds: number) => Promise<void>;
  readonly now: Clock;
  /** Told of what is nobody's input. */
  readonly onFault: (error: unknown, message: Message) => void;
}

interface Received {
  readonly message: Message;
  readonly job: QueuedJob;
}

/** A worker's event may have 6 MB; the rest is for what is around the bodies. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const MAX_BATCH_JOBS = 100;

/** A message that has come so often is given up before the queue puts it aside with no word. */
const MAX_RECEIVES = 40;
const FIRST_PAUSE_SECONDS = 2;
const LAST_PAUSE_SECONDS = 300;

/**
 * Runs what a queue brings: by model, together where the model takes batches. Each job ends with an output or a failure in S3; what may
 * pass (no worker free, a store that is busy) comes again, less and less often, until the job expires.
 * @returns ids of the messages that have to come again
 */
export const createRunJobs = (options: RunJobsOptions) => {
  const { readRoutes, dispatch, objects, retryIn, now, onFault } = options;

  const receive = (message: Message): Received | undefined => {
    try {
      return { message, job: parseJob(message.body) };
    } catch (error) {
      onFault(error, message);
      return undefined;
    }
  };

  const callWorker = async (
    routes: Routes,
    batch: readonly Received[],
    remainingMs: number,
  ): Promise<readonly JobResult[]> => {
    const model = batch[0]?.job.model ?? '';
    try {
      const reply = await dispatch(routes, {
        operation: 'batch',
        model,
        jobs: batch.map(({ job }) => toBatchJob(job)),
        contentType: undefined,
        accept: undefined,
        body: '',
        isBase64Encoded: false,
        remainingMs,
      });
      if (reply.ok) return JSON.parse(reply.body) as readonly JobResult[];
      return batch.map(({ job: { id } }) => ({ id, ...refusalOf(reply) }));
    } catch (error) {
      return batch.map(({ job: { id } }) => ({ id, ...refusalOf(toServingError(error)) }));
    }
  };

  /** What kills a worker takes its batch along: each is then run for itself, and only one is to blame. */
  const runBatch = async (
    routes: Routes,
    batch: readonly Received[],
    remainingMs: () => number,
  ): Promise<readonly JobResult[]> => {
    const results = await callWorker(routes, batch, remainingMs());
    const isLost = results.every((result) => !result.ok && result.code === 'ModelError');
    if (batch.length === 1 || !isLost) return results;
    const alone: JobResult[] = [];
    for (const each of batch) alone.push(...(await callWorker(routes, [each], remainingMs())));
    return alone;
  };

  /** @returns whether the message has to come again */
  const conclude = async ({ message, job }: Received, result: JobResult | undefined): Promise<boolean> => {
    if (result?.ok === true) return false;
    const { code, message: text, retryAfterSeconds } = result ?? LOST;
    const receives = Number(message.attributes.ApproximateReceiveCount);
    if (isFinal(code) || receives >= MAX_RECEIVES) {
      await writeFailure(job, code, text);
      return false;
    }
    const pause = Math.min(LAST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS ** Math.min(receives, 10));
    await retryIn(message.eventSourceARN, message.receiptHandle, Math.max(pause, retryAfterSeconds ?? 0));
    return true;
  };

  /** As SageMaker's: what the call would have been answered. */
  const writeFailure = ({ failure, inferenceId, model }: QueuedJob, code: ErrorCode, text: string) =>
    objects.write(
      failure,
      Buffer.from(
        JSON.stringify({ ErrorCode: code, Message: text, InferenceId: inferenceId, TargetModel: model }),
      ),
      'application/json',
    );

  return async (messages: readonly Message[], remainingMs: () => number): Promise<readonly string[]> => {
    const received = messages.map(receive);
    const again = new Set(messages.filter((_, index) => received[index] === undefined).map(idOf));
    const finish = async (each: Received, result: JobResult | undefined): Promise<void> => {
      try {
        if (await conclude(each, result)) again.add(each.message.messageId);
      } catch (error) {
        // It comes again when the queue shows it again.
        again.add(each.message.messageId);
        onFault(error, each.message);
      }
    };

    const jobs = received.filter((each) => each !== undefined);
    const isExpired = ({ job }: Received): boolean => job.expiresAtMs <= now();
    await Promise.all(jobs.filter(isExpired).map((each) => finish(each, expired(each.job))));
    const due = jobs.filter((each) => !isExpired(each));
    const routes = due.length === 0 ? undefined : await readRoutes();
    await Promise.all(
      batchesOf(due).map(async (batch) => {
        const results = routes === undefined ? [] : await runBatch(routes, batch, remainingMs);
        await Promise.all(
          batch.map((each) =>
            finish(
              each,
              results.find(({ id }) => id === each.job.id),
            ),
          ),
        );
      }),
    );
    return [...again];
  };
};

const idOf = ({ messageId }: Message): string => messageId;

/** By model, each as large as a worker's event may be. Pure. */
const batchesOf = (received: readonly Received[]): readonly (readonly Received[])[] => {
  const byModel = Map.groupBy(received, ({ job }) => job.model);
  return [...byModel.values()].flatMap((all) => {
    const batches: Received[][] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const each of all) {
      const size = each.message.body.length;
      const last = batches.at(-1);
      if (last === undefined || bytes + size > MAX_BATCH_BYTES || last.length >= MAX_BATCH_JOBS) {
        batches.push([each]);
        bytes = size;
      } else {
        last.push(each);
        bytes += size;
      }
    }
    return batches;
  });
};

const toBatchJob = ({ model: _, failure: __, expiresAtMs: ___, ...job }: QueuedJob): BatchJob => job;

/** A worker that says nothing of a job has not run it. */
const LOST = {
  code: 'ServiceUnavailable',
  message: 'the worker said nothing of this call',
  retryAfterSeconds: 1,
} as const;

const expired = ({ id, model }: QueuedJob): JobResult => ({
  id,
  ok: false,
  code: 'ValidationError',
  message: `the call expired before a worker of model ${model} was free: RequestTTLSeconds was up`,
});

/** What is the caller's or the model's own fault will be so again. */
const isFinal = (code: ErrorCode): boolean => STATUS[code] < 429;

const refusalOf = ({
  code,
  message,
  retryAfterSeconds,
}: {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterSeconds?: number | undefined;
}) => ({
  ok: false as const,
  code,
  message,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
});
