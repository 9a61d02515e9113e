import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { createInference } from '../../../functions/inference/inference.ts';
import type { RunContext, Value } from '../../../lib/engines/engine.ts';
import { createEngineRegistry } from '../../../lib/engines/registry.ts';
import { ServingError } from '../../../lib/errors.ts';
import type { Models } from '../../../lib/models/models.ts';
import type { InferenceCall, InferenceReply } from '../../../lib/protocol/envelope.ts';
import { call } from '../../fakes/builders.ts';
import { memoryJobObjects } from '../../fakes/memory-job-objects.ts';
import type { MemoryModelStore } from '../../fakes/memory-model-store.ts';
import { quietNotes } from '../../fakes/quiet-notes.ts';
import type { RecordingMetrics } from '../../fakes/recording-metrics.ts';
import { largestRelativeError } from '../../fixtures/closeness.ts';
import { artifactPath, readExpected } from '../../fixtures/expected.ts';
import { modelsHarness } from '../../fixtures/models-harness.ts';
import { identityModel, linearModel } from '../../fixtures/onnx-model.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';
import { artifact } from '../../fixtures/tar-archive.ts';

const scratch = scratchFolder();
let store: MemoryModelStore;
let metrics: RecordingMetrics;
let faults: { readonly error: ServingError; readonly model: string }[];
let infer: (call: InferenceCall) => Promise<InferenceReply>;
let remainingMs: number;

const create = (models: Models): typeof infer => {
  let timerMs = 0;
  const handler = createInference({
    jobObjects: memoryJobObjects(),
    models,
    metrics,
    notes: quietNotes,
    worker: 'w-1',
    timer: () => timerMs++,
    onFault: (error, { model }) => faults.push({ error, model }),
  });
  return async (sent) => {
    const { worker, tookMicros, ...reply } = await handler(sent, {
      getRemainingTimeInMillis: () => remainingMs,
    });
    expect({ worker, tookMicros }).toEqual({ worker: 'w-1', tookMicros: expect.any(Number) });
    return reply as InferenceReply;
  };
};

beforeEach(() => {
  const engine = createEngineRegistry({ allowCustomCode: true, now: () => performance.now() });
  const harness = modelsHarness(scratch.path, engine, { diskBytes: 10_000_000 });
  ({ store, metrics } = harness);
  store.put('linear.tar.gz', artifact(linearModel([1, 2], 3)));
  store.put('echo.tar.gz', artifact(identityModel('string', ['rows'])));
  faults = [];
  remainingMs = 30_000;
  infer = create(harness.models);
});

describe('the inference flow', () => {
  it.each([
    ['JSON as JSON', {}, '[[1,10],[0,0]]', 'application/json', '[[24],[3]]'],
    ['instances as predictions', {}, '{"instances":[[1,10]]}', 'application/json', '{"predictions":[[24]]}'],
    ['CSV as CSV', { contentType: 'text/csv', accept: 'text/csv' }, '1,10\n0,0\n', 'text/csv', '24\n3\n'],
    ['CSV as JSON', { contentType: 'text/csv; charset=utf-8' }, '1,10', 'application/json', '[[24]]'],
    ['a body without a type as JSON', { contentType: undefined }, '[[1,10]]', 'application/json', '[[24]]'],
  ])('answers %s', async (_, overrides, body, contentType, answer) => {
    const reply = await infer(call({ model: 'linear.tar.gz', body, ...overrides }));

    expect(reply).toEqual({ ok: true, contentType, body: answer });
  });

  it('reads a body that came as base64', async () => {
    const body = Buffer.from('["ü€😀"]').toString('base64');

    expect(await infer(call({ model: 'echo.tar.gz', body, isBase64Encoded: true }))).toMatchObject({
      body: '["ü€😀"]',
    });
  });

  it.each(['diabetes', 'iris', 'digits'])('predicts for %s what scikit-learn predicts', async (name) => {
    store.put(`${name}.tar.gz`, await readFile(artifactPath(name)));
    const { inputs, outputs } = await readExpected(name);

    const reply = await infer(call({ model: `${name}.tar.gz`, body: JSON.stringify({ inputs }) }));

    const answer = (JSON.parse((reply as { body: string }).body) as { outputs: unknown }).outputs;
    for (const [output, expected] of Object.entries(outputs)) {
      const came = (
        Object.keys(outputs).length === 1 ? answer : (answer as Record<string, unknown>)[output]
      ) as number[];
      expect(largestRelativeError(came.flat(), expected.flat())).toBeLessThan(1e-5);
    }
  });

  it('flushes metrics that are due at the start and at the end of a call', async () => {
    await infer(call({ model: 'linear.tar.gz', body: '[[1,2]]' }));

    expect(metrics.flushes).toBe(2);
  });
});

describe('a failure', () => {
  it('is a reply in the words of SageMaker', async () => {
    expect(await infer(call({ model: 'linear.tar.gz', body: '{"instances":[[1,2],[1]]}' }))).toEqual({
      ok: false,
      code: 'ValidationError',
      message: 'instances[1] has 1 values, but instances[0] has 2: all must have as many',
    });
    expect(faults).toEqual([]);
  });

  it.each([
    ['no model of that name', { model: 'none.tar.gz' }, 'ValidationError', /model "none.tar.gz" not found/],
    [
      'a type of body that is unknown',
      { contentType: 'image/png' },
      'ValidationError',
      /"image\/png" is not supported/,
    ],
    [
      'a type of answer that is unknown',
      { accept: 'image/png' },
      'ValidationError',
      /"image\/png" is not supported/,
    ],
    ['bytes that are no text', { body: '/w==', isBase64Encoded: true }, 'ValidationError', /is not UTF-8/],
  ])('says so: %s', async (_, overrides, code, message) => {
    const reply = await infer(call({ model: 'linear.tar.gz', ...overrides }));

    expect(reply).toEqual({ ok: false, code, message: expect.stringMatching(message) });
    expect(faults).toEqual([]);
  });

  it('of a model is told to the log with its cause', async () => {
    store.put('bad.onnx', 'junk');

    const reply = await infer(call({ model: 'bad.onnx' }));

    expect(reply).toMatchObject({ ok: false, code: 'ModelError' });
    expect(faults).toMatchObject([
      { model: 'bad.onnx', error: { code: 'ModelError', cause: expect.any(Error) } },
    ]);
  });

  it('that nobody foresaw does not leak its message', async () => {
    infer = create(failing(new Error('password=hunter2')));

    const reply = await infer(call());

    expect(reply).toMatchObject({ ok: false, code: 'InternalFailure' });
    expect(JSON.stringify(reply)).not.toContain('hunter2');
    expect(faults).toMatchObject([{ error: { cause: { message: 'password=hunter2' } } }]);
  });

  it('carries when to try again', async () => {
    const error = new ServingError('ServiceUnavailable', 'busy', { retryAfterSeconds: 7 });
    infer = create(failing(error));

    expect(await infer(call())).toEqual({
      ok: false,
      code: 'ServiceUnavailable',
      message: 'busy',
      retryAfterSeconds: 7,
    });
  });

  it('frees the model for eviction', async () => {
    let released = 0;
    const model = {
      inputs: [{ name: 'x', type: 'float32' as const, shape: [undefined] }],
      outputs: [],
      sizeBytes: 1,
      needsFolder: false,
      run: () => Promise.reject(new Error('crash')),
      [Symbol.asyncDispose]: async () => undefined,
    };
    infer = create({
      ...failing(new Error('not to be called')),
      open: async () => ({
        model,
        [Symbol.asyncDispose]: async () => {
          released += 1;
        },
      }),
    });

    await infer(call({ body: '[1]' }));
    await infer(call({ body: 'not JSON' }));

    expect(released).toBe(2);
  });
});

describe('the time that a model may take', () => {
  it.each([
    ['what the router waits for', 28_000, 380_000, 27_498],
    ["what is left of Lambda's limit", 28_000, 10_000, 9498],
    ["Lambda's limit, where nobody says how long is waited", undefined, 10_000, 9498],
  ])('is %s, less some for the answer and what has passed', async (_, routerMs, lambdaMs, expected) => {
    let seenMs = 0;
    const model = {
      inputs: undefined,
      outputs: undefined,
      sizeBytes: 1,
      needsFolder: false,
      run: async (__: Value, { remainingMs: left }: RunContext) => {
        seenMs = left;
        return { document: 1 };
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
    infer = create({
      ...failing(new Error('unused')),
      open: async () => ({ model, [Symbol.asyncDispose]: async () => undefined }),
    });
    remainingMs = lambdaMs;

    await infer(call(routerMs === undefined ? {} : { remainingMs: routerMs }));

    expect(seenMs).toBeCloseTo(expected, -1);
  });
});

describe("Lambda's bound on an answer", () => {
  const echo = async (text: string) => infer(call({ model: 'echo.tar.gz', body: JSON.stringify([text]) }));
  /** What is kept free for the name of the worker and the time it took. */
  const STAMP = 64;
  /** What the reply takes beside the text: `{"ok":true,"contentType":"application/json","body":"[\"...\"]"}`. */
  const AROUND =
    Buffer.byteLength(
      JSON.stringify({ ok: true, contentType: 'application/json', body: JSON.stringify(['']) }),
    ) + STAMP;

  it('lets an answer through that just fits', async () => {
    const reply = await echo('x'.repeat(6_291_456 - AROUND));

    expect(reply).toMatchObject({ ok: true });
    expect(Buffer.byteLength(JSON.stringify(reply))).toBe(6_291_456 - STAMP);
  });

  it.each([
    ['one byte too many', 'x'.repeat(6_291_457 - AROUND)],
    ['letters of several bytes', '€'.repeat(2_100_000)],
    ['what must be escaped twice', '"'.repeat(1_600_000)],
  ])('refuses %s, and says how large it is', async (_, text) => {
    expect(await echo(text)).toMatchObject({
      ok: false,
      code: 'ModelError',
      message: expect.stringMatching(
        /^the answer is too large: \d+ bytes, at most 6291456 are possible; send fewer rows/,
      ),
    });
  });
});

const failing = (error: Error): Models => ({
  open: () => Promise.reject(error),
  look: async () => undefined,
  settle: async () => undefined,
  usage: () => ({ models: 0, memoryBytes: 0, maxMemoryBytes: 1, diskBytes: 0 }),
  describe: () => undefined,
});
