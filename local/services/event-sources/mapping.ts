import type { Clock } from '../../../lib/clock.ts';
import type { DeployedEventSource } from '../../deployment/event-sources.ts';
import type { LambdaService } from '../../lambda/lambda.ts';
import { MAX_EVENT_BYTES } from '../../lambda/limits.ts';
import { queueArn } from '../sqs/addresses.ts';
import type { ReceivedMessage } from '../sqs/message.ts';
import type { Queues } from '../sqs/queues.ts';
import { parseFailures } from './batch-response.ts';
import { gatherMessages } from './gather.ts';
import { invokeBatch, pause } from './invoke-batch.ts';
import { type SqsBatch, toBatches } from './sqs-event.ts';

export interface MappingOptions {
  readonly source: DeployedEventSource;
  readonly queues: Queues;
  readonly lambda: Pick<LambdaService, 'invoke'>;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

/** How many batches AWS begins with, too; here it does not scale beyond. */
const DEFAULT_CONCURRENCY = 5;
/** Of memory: each batch has 6 MB, and 6 MB more as an event. */
const MAX_CONCURRENCY = 100;

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;

/**
 * Moves messages from a queue to a function until the signal comes: gathers one batch at a time, and has up to
 * `maximumConcurrency` with the function. What a function does not handle stays in the queue, unseen until its
 * visibility timeout is over. @returns when the last call has been answered
 */
export const runMapping = async (options: MappingOptions, signal: AbortSignal): Promise<void> => {
  const { source, queues, now, onError } = options;
  const { queueName, batchSize, windowMs, maximumConcurrency = DEFAULT_CONCURRENCY } = source;
  const limit = Math.min(maximumConcurrency, MAX_CONCURRENCY);
  const running = new Set<Promise<void>>();
  let failuresInARow = 0;

  const start = (messages: readonly ReceivedMessage[]): void => {
    const run = handleMessages(options, messages, signal)
      .then((hasWorked) => {
        failuresInARow = hasWorked ? 0 : failuresInARow + 1;
      })
      .catch((error: unknown) => {
        failuresInARow++;
        onError(error);
      })
      .finally(() => running.delete(run));
    running.add(run);
  };

  while (!signal.aborted) {
    if (running.size >= limit) {
      await Promise.race(running);
      continue;
    }
    // A function that fails at once, with a queue that hides nothing, would keep a core busy.
    if (failuresInARow > 0)
      await pause(Math.min(FIRST_PAUSE_MS * 2 ** (failuresInARow - 1), MAX_PAUSE_MS), signal);
    const gather = { queues, queueName, batchSize, windowMs, maxBytes: MAX_EVENT_BYTES, now, signal };
    const messages = await gatherMessages(gather).catch(async (error: unknown) => {
      onError(error);
      failuresInARow++;
      return [];
    });
    if (signal.aborted) await giveBack(options, messages);
    else if (messages.length > 0) start(messages);
  }
  await Promise.all(running);
};

/** @returns whether the function took any of each batch: one bad message must not slow down the others */
const handleMessages = async (
  options: MappingOptions,
  messages: readonly ReceivedMessage[],
  signal: AbortSignal,
): Promise<boolean> => {
  const arn = queueArn(options.source.queueName);
  let hasWorked = true;
  for (const batch of toBatches(messages, { queueArn: arn, maxBytes: MAX_EVENT_BYTES })) {
    hasWorked = (await handleBatch(options, batch, signal)) && hasWorked;
  }
  return hasWorked;
};

const handleBatch = async (
  options: MappingOptions,
  { messages, payload }: SqsBatch,
  signal: AbortSignal,
): Promise<boolean> => {
  const { source, queues, lambda, now, onError } = options;
  const untilMs = Math.min(...messages.map(({ visibleAtMs }) => visibleAtMs));
  const result = await invokeBatch({ lambda, target: source.target, payload, untilMs, now, signal });
  if (result === undefined) {
    if (signal.aborted) await giveBack(options, messages);
    return false;
  }
  if (result.functionError !== undefined) {
    onError(new Error(`${source.target.functionName}: ${result.payload}`));
    return false;
  }
  const ids = messages.map(({ id }) => id);
  const failed = source.reportsFailures ? parseFailures(result.payload, ids) : new Set<string>();
  const handled = messages.filter(({ id }) => !failed.has(id));
  await Promise.all(handled.map(({ receiptHandle }) => queues.delete(source.queueName, receiptHandle)));
  return handled.length > 0;
};

/** What no function has seen need not wait for its visibility timeout. */
const giveBack = async (
  { source, queues, onError }: MappingOptions,
  messages: readonly ReceivedMessage[],
): Promise<void> => {
  for (const { receiptHandle } of messages) {
    await queues.changeVisibility(source.queueName, receiptHandle, 0).catch(onError);
  }
};
