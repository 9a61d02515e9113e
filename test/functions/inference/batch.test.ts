import { beforeEach, describe, expect, it } from 'vitest';
import { type BatchOptions, runBatch } from '../../../functions/inference/batch.ts';
import type { LoadedModel, Tensor, Value } from '../../../lib/engines/engine.ts';
import { ServingError } from '../../../lib/errors.ts';
import type { BatchJob } from '../../../lib/protocol/envelope.ts';
import { type MemoryJobObjects, memoryJobObjects } from '../../fakes/memory-job-objects.ts';

let runs: number[];
let objects: MemoryJobObjects;

/** Answers the double of each row; says how many rows it was run for. */
const doubling = (overrides: Partial<LoadedModel> = {}): LoadedModel => ({
  inputs: [{ name: 'x', type: 'float32', shape: [undefined, 1] }],
  outputs: undefined,
  sizeBytes: 1,
  needsFolder: false,
  run: async (input: Value) => {
    const [tensor] = input as readonly Tensor[];
    const data = tensor?.data as Float32Array;
    runs.push(data.length);
    if (data.includes(13)) throw new ServingError('ModelError', 'thirteen');
    return [{ name: 'y', type: 'float32', shape: [data.length, 1], data: data.map((value) => 2 * value) }];
  },
  [Symbol.asyncDispose]: async () => undefined,
  ...overrides,
});

const job = (id: string, body: string, overrides: Partial<BatchJob> = {}): BatchJob => ({
  id,
  input: { body, isBase64Encoded: false },
  output: { bucket: 'b', key: `out/${id}` },
  timeoutMs: 1000,
  ...overrides,
});

const run = (jobs: readonly BatchJob[], overrides: Partial<BatchOptions> = {}) =>
  runBatch(jobs, {
    model: 'm.tar.gz',
    loaded: doubling(),
    batchSize: 4,
    objects,
    remainingMs: () => 10_000,
    ...overrides,
  });

const output = (id: string): unknown => JSON.parse(objects.objects.get(`b/out/${id}`)?.toString() ?? 'null');

beforeEach(() => {
  [runs, objects] = [[], memoryJobObjects()];
});

describe('jobs of one model', () => {
  it('are run together, batch_size at a time, and each gets its own answer', async () => {
    const results = await run([
      job('a', '[[1]]'),
      job('b', '[[2],[3]]'),
      job('c', '[[4]]'),
      job('d', '[[5]]'),
      job('e', '[[6]]'),
    ]);

    expect(results).toEqual(['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, ok: true })));
    expect(runs).toEqual([5, 1]);
    expect(['a', 'b', 'e'].map(output)).toEqual([[[2]], [[4], [6]], [[12]]]);
  });

  it('are run one by one where batch_size is 1', async () => {
    await run([job('a', '[[1]]'), job('b', '[[2]]')], { batchSize: 1 });
    expect(runs).toEqual([1, 1]);
  });

  it('fail alone: one that cannot be read, and one that fails the model, cost the others nothing', async () => {
    const results = await run([
      job('a', '[[1]]'),
      job('bad', '[["x"]]'),
      job('unlucky', '[[13]]'),
      job('d', '[[5]]'),
    ]);

    expect(results.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { id: 'a', ok: true },
      { id: 'bad', ok: false, code: 'ValidationError', message: expect.stringContaining('x') },
      { id: 'd', ok: true },
      { id: 'unlucky', ok: false, code: 'ModelError', message: 'thirteen' },
    ]);
    expect(runs).toEqual([3, 1, 1, 1]);
    expect(output('d')).toEqual([[10]]);
    expect(output('bad')).toBeNull();
  });

  it('read their inputs from where they are', async () => {
    objects.objects.set('in/a', Buffer.from('[[1]]'));
    const results = await run([
      job('a', '', { input: { bucket: 'in', key: 'a' } }),
      job('none', '', { input: { bucket: 'in', key: 'none' } }),
    ]);
    expect(output('a')).toEqual([[2]]);
    expect(results).toContainEqual({
      id: 'none',
      ok: false,
      code: 'ValidationError',
      message: expect.stringContaining('not found'),
    });
  });

  it('of a model that does not answer row by row are run again, each for itself', async () => {
    const summing = doubling({
      run: async (input) => {
        const [tensor] = input as readonly Tensor[];
        runs.push(tensor?.data.length ?? 0);
        return [{ name: 'y', type: 'float32', shape: [1], data: Float32Array.of(tensor?.data.length ?? 0) }];
      },
    });
    await run([job('a', '[[1]]'), job('b', '[[2],[3]]')], { loaded: summing });
    expect(runs).toEqual([3, 1, 2]);
    expect(output('b')).toEqual([2]);
  });

  it('of a model that takes documents are run one by one', async () => {
    const echo = doubling({ inputs: undefined, run: async (input) => input });
    await run([job('a', '{"a":1}', { contentType: 'application/json' }), job('b', '[2]')], { loaded: echo });
    expect(output('a')).toEqual({ a: 1 });
  });
});
