/**
 * Little to send, so much to do that the process dies or stands still: each is a case for a process of its own, as
 * `worker.fuzz.test.ts` runs it. By hand: node --max-old-space-size=512 test/fuzz/extremes.ts "a workflow that is its own part"
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInference } from '../../functions/inference/inference.ts';
import { createEngineRegistry } from '../../lib/engines/registry.ts';
import { memoryJobObjects } from '../fakes/memory-job-objects.ts';
import { quietNotes } from '../fakes/quiet-notes.ts';
import { modelsHarness } from '../fixtures/models-harness.ts';
import { identityModel, linearModel } from '../fixtures/onnx-model.ts';
import { artifact, tarGz } from '../fixtures/tar-archive.ts';

interface Extreme {
  readonly artifact: Buffer;
  readonly contentType?: string;
  body(): string;
}

const table = (type: 'float32' | 'int64' | 'string'): Buffer =>
  artifact(identityModel(type, ['rows', 'columns']));

/** One full row and many empty ones: by the first row, a table of their product. */
const ragged = (element: string, size: number): string =>
  `[[${`${element},`.repeat(size - 1)}${element}]${',[]'.repeat(size - 1)}]`;

export const EXTREMES: Readonly<Record<string, Extreme>> = {
  'a workflow that is its own part': {
    artifact: tarGz([
      {
        path: 'workflow.json',
        content: '{"models":{"a":"./"},"workflow":{"out":["a","in"]}}',
      },
    ]),
    body: () => '[[1]]',
  },
  'a workflow with a chain of 20,000 names': {
    artifact: tarGz([
      { path: 'model.onnx', content: linearModel([1], 0) },
      {
        path: 'workflow.json',
        content: JSON.stringify({
          models: { m: 'model.onnx' },
          workflow: {
            ...Object.fromEntries(
              Array.from({ length: 20_000 }, (_, index) => [`v${index}`, `v${index + 1}`]),
            ),
            v20000: ['m', 'in'],
            out: 'v0',
          },
        }),
      },
    ]),
    body: () => '[[1]]',
  },
  'a ragged table of strings, 10,000 by 10,000': {
    artifact: table('string'),
    body: () => ragged('""', 10_000),
  },
  'a ragged table of integers, 100,000 by 100,000': {
    artifact: table('int64'),
    body: () => ragged('0', 100_000),
  },
  'a ragged table of numbers as CSV': {
    artifact: table('float32'),
    contentType: 'text/csv',
    body: () => `${'0,'.repeat(99_999)}0\n${'0\n'.repeat(99_999)}`,
  },
  'one output, asked for 10,000 times': {
    artifact: table('float32'),
    body: () =>
      `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,100000],"data":[${'0.1234567,'.repeat(99_999)}0.1234567]}],"outputs":[${'{"name":"y"},'.repeat(9999)}{"name":"y"}]}`,
  },
  'five million commas and a quote as CSV': {
    artifact: table('string'),
    contentType: 'text/csv',
    body: () => `${','.repeat(5_000_000)}"`,
  },
  'six million empty lines as CSV': {
    artifact: table('string'),
    contentType: 'text/csv',
    body: () => `1\n${'\n'.repeat(6_000_000)}`,
  },
  'a shape a hundred thousand brackets deep': {
    artifact: table('float32'),
    body: () =>
      `{"inputs":[{"name":"x","datatype":"FP32","shape":${'['.repeat(100_000)}${']'.repeat(100_000)},"data":[1]}]}`,
  },
};

export interface Outcome {
  readonly code: string;
  readonly messageLength: number;
  readonly tookMs: number;
  readonly grownBytes: number;
}

const run = async (name: string): Promise<Outcome> => {
  const extreme = EXTREMES[name];
  if (extreme === undefined) throw new Error(`no ${name}: there are ${Object.keys(EXTREMES).join('; ')}`);
  const directory = await mkdtemp(join(tmpdir(), 'fuzz-extreme-'));
  try {
    const engine = createEngineRegistry({ allowCustomCode: false, now: () => performance.now() });
    const { models, metrics, store } = modelsHarness(directory, engine);
    const infer = createInference({
      jobObjects: memoryJobObjects(),
      models,
      metrics,
      notes: quietNotes,
      worker: 'fuzz',
      timer: () => performance.now(),
      onFault: () => undefined,
    });
    store.put('warm.tar.gz', artifact(linearModel([1], 0)));
    store.put('m.tar.gz', extreme.artifact);
    const call = { accept: undefined, isBase64Encoded: false };
    const time = { getRemainingTimeInMillis: () => 30_000 };
    await infer({ ...call, model: 'warm.tar.gz', contentType: 'application/json', body: '[[1]]' }, time);
    const body = extreme.body();
    const beforeBytes = process.memoryUsage.rss();
    const startedMs = performance.now();
    const reply = await infer(
      { ...call, model: 'm.tar.gz', contentType: extreme.contentType ?? 'application/json', body },
      time,
    );
    return {
      code: reply.ok ? 'ok' : reply.code,
      messageLength: reply.ok ? 0 : reply.message.length,
      tookMs: Math.round(performance.now() - startedMs),
      grownBytes: process.resourceUsage().maxRSS * 1024 - beforeBytes,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(`${JSON.stringify(await run(process.argv[2] ?? ''))}\n`);
}
