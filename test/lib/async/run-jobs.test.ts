import { beforeEach, describe, expect, it } from 'vitest';
import { encodeJob, parseJob, type QueuedJob } from '../../../lib/async/queued-job.ts';
import { createRunJobs, type Message } from '../../../lib/async/run-jobs.ts';
import { ServingError } from '../../../lib/errors.ts';
import type { InferenceCall, InferenceReply, JobResult } from '../../../lib/protocol/envelope.ts';
import { routes } from '../../fakes/builders.ts';
import { type MemoryJobObjects, memoryJobObjects } from '../../fakes/memory-job-objects.ts';

const NOW = 1_000_000;
let objects: MemoryJobObjects;
let retries: [string, number][];
let calls: InferenceCall[];
let faults: unknown[];
let answer: (call: InferenceCall) => Promise<InferenceReply>;

const queued = (id: string, overrides: Partial<QueuedJob> = {}): QueuedJob => ({
  id,
  model: 'm.tar.gz',
  inferenceId: id,
  input: { body: '[[1]]', isBase64Encoded: false },
  output: { bucket: 'b', key: `async/${id}.out` },
  failure: { bucket: 'b', key: `async/${id}-error.out` },
  expiresAtMs: NOW + 1,
  timeoutMs: 1000,
  ...overrides,
});

const message = (job: QueuedJob, receives = 1): Message => ({
  messageId: `message-${job.id}`,
  receiptHandle: `handle-${job.id}`,
  eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:q',
  body: encodeJob(job),
  attributes: { ApproximateReceiveCount: String(receives) },
});

const run = (messages: readonly Message[]): Promise<readonly string[]> =>
  createRunJobs({
    readRoutes: async () => routes(),
    dispatch: (_, call) => {
      calls.push(call);
      return answer(call);
    },
    objects,
    retryIn: async (_, handle, seconds) => void retries.push([handle, seconds]),
    now: () => NOW,
    onFault: (error) => faults.push(error),
  })(messages, () => 60_000);

const results =
  (of: (id: string) => JobResult) =>
  async (call: InferenceCall): Promise<InferenceReply> => ({
    ok: true,
    contentType: 'application/json',
    body: JSON.stringify((call.jobs ?? []).map(({ id }) => of(id))),
  });

const failureOf = (id: string): unknown =>
  JSON.parse(objects.objects.get(`b/async/${id}-error.out`)?.toString() ?? 'null');

beforeEach(() => {
  [objects, retries, calls, faults] = [memoryJobObjects(), [], [], []];
  answer = results((id) => ({ id, ok: true }));
});

describe('a batch of the queue', () => {
  it('goes to workers by model, and needs not come again when all is done', async () => {
    const again = await run([
      message(queued('a')),
      message(queued('b', { model: 'other.tar.gz' })),
      message(queued('c')),
    ]);
    expect(again).toEqual([]);
    expect(calls.map(({ model, jobs }) => [model, jobs?.map(({ id }) => id)])).toEqual([
      ['m.tar.gz', ['a', 'c']],
      ['other.tar.gz', ['b']],
    ]);
    expect(calls[0]).toMatchObject({ operation: 'batch', remainingMs: 60_000 });
    expect(calls[0]?.jobs?.[0]).not.toHaveProperty('failure');
  });

  it('is cut where it would be too large for an event of Lambda', async () => {
    const large = (id: string) =>
      message(queued(id, { input: { body: 'x'.repeat(1_500_000), isBase64Encoded: false } }));
    await run(['a', 'b', 'c'].map(large));
    expect(calls.map(({ jobs }) => jobs?.length)).toEqual([2, 1]);
  });

  it("ends the jobs whose fault is the caller's or the model's with a failure in S3", async () => {
    answer = results((id) => ({ id, ok: false, code: 'ValidationError', message: 'bad rows' }));
    expect(await run([message(queued('a'))])).toEqual([]);
    expect(failureOf('a')).toEqual({
      ErrorCode: 'ValidationError',
      Message: 'bad rows',
      InferenceId: 'a',
      TargetModel: 'm.tar.gz',
    });
  });

  it.each([
    ['ThrottlingException', 1, 2],
    ['ThrottlingException', 4, 16],
    ['ServiceUnavailable', 20, 300],
    ['ModelNotReadyException', 1, 2],
  ] as const)(
    'lets %s come again, later and later: after %d times in %d s',
    async (code, receives, seconds) => {
      answer = async () => ({ ok: false, code, message: 'busy' });
      expect(await run([message(queued('a'), receives)])).toEqual(['message-a']);
      expect(retries).toEqual([['handle-a', seconds]]);
      expect(failureOf('a')).toBeNull();
    },
  );

  it('waits as long as it is told to, and gives up in the end', async () => {
    answer = async () => ({
      ok: false,
      code: 'ModelNotReadyException',
      message: 'loading',
      retryAfterSeconds: 90,
    });
    await run([message(queued('a'))]);
    expect(retries).toEqual([['handle-a', 90]]);
    expect(await run([message(queued('a'), 40)])).toEqual([]);
    expect(failureOf('a')).toMatchObject({ ErrorCode: 'ModelNotReadyException' });
  });

  it('does not run what has expired', async () => {
    expect(await run([message(queued('a', { expiresAtMs: NOW }))])).toEqual([]);
    expect(calls).toEqual([]);
    expect(failureOf('a')).toMatchObject({ Message: expect.stringContaining('RequestTTLSeconds') });
  });

  it('that kills its worker is run one by one: only one is to blame', async () => {
    answer = async (call) => {
      if (call.jobs?.some(({ id }) => id === 'killer')) throw new ServingError('ModelError', 'out of memory');
      return results((id) => ({ id, ok: true }))(call);
    };
    expect(await run(['a', 'killer', 'c'].map((id) => message(queued(id))))).toEqual([]);
    expect(failureOf('killer')).toMatchObject({ ErrorCode: 'ModelError', Message: 'out of memory' });
    expect(failureOf('a')).toBeNull();
    expect(failureOf('c')).toBeNull();
  });

  it('comes again where a worker says nothing of a job, or a failure cannot be written', async () => {
    answer = async () => ({ ok: true, contentType: 'application/json', body: '[]' });
    expect(await run([message(queued('a'))])).toEqual(['message-a']);

    answer = results((id) => ({ id, ok: false, code: 'ModelError', message: 'm' }));
    objects = { ...objects, write: () => Promise.reject(new Error('S3 is down')) };
    expect(await run([message(queued('b'))])).toEqual(['message-b']);
    expect(faults).toHaveLength(1);
  });

  it('leaves what is no job to the queue, which puts it aside in the end', async () => {
    const strange = { ...message(queued('a')), body: '{"id":1}' };
    expect(await run([strange, message(queued('b'))])).toEqual(['message-a']);
    expect(faults).toHaveLength(1);
    expect(calls).toHaveLength(1);
  });
});

describe('a job in the queue', () => {
  it('is read as it was written', () => {
    expect(parseJob(encodeJob(queued('a')))).toEqual(queued('a'));
  });

  it.each(['null', '[]', '{}', 'x'])('is not %s', (text) => {
    expect(() => parseJob(text)).toThrow();
  });
});
