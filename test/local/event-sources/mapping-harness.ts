import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SQSEvent } from 'aws-lambda';
import { expect, vi } from 'vitest';
import type { DeployedEventSource } from '../../../local/deployment/event-sources.ts';
import type { InvokeCall, InvokeResult } from '../../../local/lambda/lambda.ts';
import {
  type EventSources,
  type EventSourcesOptions,
  startEventSources,
} from '../../../local/services/event-sources/event-sources.ts';
import { Queues } from '../../../local/services/sqs/queues.ts';

export const T0 = Date.UTC(2026, 0, 1);
export const VISIBILITY_MS = 30_000;

/** What stands for a function: takes an event, and answers, throws what it refuses with, or fails. */
export type FakeFunction = (event: SQSEvent, call: InvokeCall) => unknown;

/** A handler's own failure, as Lambda tells of it. */
export class FunctionFailed extends Error {}

export interface MappingHarness {
  readonly queues: Queues;
  readonly errors: unknown[];
  readonly events: SQSEvent[];
  nowMs: number;
  sendAll(...bodies: string[]): Promise<void>;
  start(
    source: Partial<DeployedEventSource>,
    run: FakeFunction,
    options?: Partial<EventSourcesOptions>,
  ): void;
  stop(): Promise<void>;
  /** Bodies of each call, in the order of their sending. */
  calls(): readonly (readonly string[])[];
  /** Until the queue holds so many messages, seen or not. */
  untilLeft(count: number, queue?: string): Promise<void>;
  close(): Promise<void>;
}

/** A queue `work` with dead letters in `dead` after three receives, and time that is set. */
export const startMappings = async (): Promise<MappingHarness> => {
  const directory = await mkdtemp(join(tmpdir(), 'mapping-'));
  const clock = { nowMs: T0 };
  const now = () => clock.nowMs;
  const queues = await Queues.open({ directory, now });
  await queues.create('dead', {});
  const policy = { deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead', maxReceiveCount: 3 };
  await queues.create('work', { RedrivePolicy: JSON.stringify(policy) });
  const errors: unknown[] = [];
  const events: SQSEvent[] = [];
  let sources: EventSources | undefined;

  const invoke = async (run: FakeFunction, call: InvokeCall): Promise<InvokeResult> => {
    const event = JSON.parse(call.payload) as SQSEvent;
    events.push(event);
    const end = { executedVersion: '1', requestId: 'r' };
    try {
      return { ...end, payload: JSON.stringify((await run(event, call)) ?? null) };
    } catch (error) {
      if (!(error instanceof FunctionFailed)) throw error;
      return { ...end, payload: '{"errorType":"Error"}', functionError: 'Unhandled' };
    }
  };

  return Object.assign(clock, {
    queues,
    errors,
    events,
    sendAll: async (...bodies: string[]) => {
      for (const body of bodies) await queues.send('work', { body, attributes: {}, system: {} });
    },
    start: (source: Partial<DeployedEventSource>, run: FakeFunction, options = {}) => {
      sources = startEventSources({
        sources: [eventSource(source)],
        queues,
        lambda: { invoke: (call) => invoke(run, call) },
        now,
        onError: (error) => errors.push(error),
        ...options,
      });
    },
    stop: async () => sources?.close(),
    calls: () => events.map(({ Records }) => Records.map(({ body }) => body)),
    untilLeft: (count: number, queue = 'work') =>
      vi.waitFor(() => expect(queues.require(queue).length).toBe(count), { timeout: 10_000, interval: 5 }),
    close: async () => {
      await sources?.close();
      await queues.close();
      await rm(directory, { recursive: true, force: true });
    },
  });
};

export const eventSource = (overrides: Partial<DeployedEventSource> = {}): DeployedEventSource => ({
  queueName: 'work',
  target: { functionName: 'f', qualifier: 'live' },
  enabled: true,
  batchSize: 10,
  windowMs: 0,
  reportsFailures: false,
  ...overrides,
});
