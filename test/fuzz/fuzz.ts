import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInference } from '../../functions/inference/inference.ts';
import { createEngineRegistry } from '../../lib/engines/registry.ts';
import type { ServingError } from '../../lib/errors.ts';
import type { InferenceCall, InferenceReply } from '../../lib/protocol/envelope.ts';
import { modelsHarness } from '../fixtures/models-harness.ts';
import { linearModel } from '../fixtures/onnx-model.ts';
import { artifact } from '../fixtures/tar-archive.ts';
import { fuzzArtifact } from './archives.ts';
import { fuzzCall } from './bodies.ts';
import { chance } from './random.ts';

export interface FuzzOptions {
  readonly archives: number;
  readonly bodies: number;
  readonly seed: number;
  readonly directory: string;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzReport {
  /** How many answers of each kind: `ok`, or an error's code. */
  readonly answers: Readonly<Record<string, number>>;
  /** Whatever should not have been, with the case to repeat it by. */
  readonly wrong: readonly string[];
  readonly slowestMs: number;
  readonly leakedFiles: number;
  readonly usage: { readonly models: number; readonly memoryBytes: number; readonly diskBytes: number };
  readonly grownBytes: number;
}

const GOOD = 'good.tar.gz';
const MEMORY_BYTES = 20_000_000;
const DISK_BYTES = 2_000_000;
const SLOW_MS = 5000;

/** A worker under spoilt artifacts and spoilt requests: it must go on, and say of each what is wrong or answer rightly. */
export const runFuzz = async (options: FuzzOptions): Promise<FuzzReport> => {
  const { archives, bodies, seed, directory, onProgress = () => undefined } = options;
  const harness = modelsHarness(
    directory,
    createEngineRegistry({ allowCustomCode: false, now: () => performance.now() }),
    {
      memoryBytes: MEMORY_BYTES,
      diskBytes: DISK_BYTES,
      metrics: { count: () => {}, sample: () => {}, timeMicros: () => {}, flushIfDue: () => {} },
    },
  );
  harness.store.put(GOOD, artifact(linearModel([1, 2], 3)));
  const answers: Record<string, number> = {};
  const wrong: string[] = [];
  let [slowestMs, lastFault]: [number, ServingError | undefined] = [0, undefined];

  const infer = createInference({
    models: harness.models,
    metrics: harness.metrics,
    worker: 'fuzz',
    timer: () => performance.now(),
    onFault: (error) => {
      lastFault = error;
    },
  });

  const send = async (label: string, call: InferenceCall): Promise<InferenceReply> => {
    const startedMs = performance.now();
    const reply = await infer(call, { getRemainingTimeInMillis: () => 30_000 });
    const tookMs = performance.now() - startedMs;
    slowestMs = Math.max(slowestMs, tookMs);
    if (tookMs > SLOW_MS) wrong.push(`${label}: took ${tookMs.toFixed(0)} ms`);
    const kind = reply.ok ? 'ok' : reply.code;
    answers[kind] = (answers[kind] ?? 0) + 1;
    const problem = problemWith(reply);
    if (problem !== undefined)
      wrong.push(`${label}: ${problem} ${String((lastFault?.cause as Error | undefined)?.stack ?? '')}`);
    return reply;
  };

  for (let number = 0; number < archives; number++) {
    const label = `seed ${seed}, archive ${number}`;
    const { name, bytes, body, answer } = fuzzArtifact(chance(seed * 1_000_003 + number), number);
    harness.store.put(name, bytes);
    const reply = await send(label, {
      model: name,
      contentType: 'application/json',
      accept: undefined,
      body,
      isBase64Encoded: false,
    });
    if (answer !== undefined && !(reply.ok && reply.body === answer)) {
      wrong.push(`${label}: ${JSON.stringify(reply)} instead of ${answer}`);
    }
    harness.store.remove(name);
    if (number % 500 === 0) onProgress(number);
  }

  const rssBefore = process.memoryUsage.rss();
  for (let number = 0; number < bodies; number++) {
    const label = `seed ${seed}, body ${number}`;
    const { call, rows } = fuzzCall(chance(seed * 2_000_003 + number));
    const reply = await send(label, { model: GOOD, ...call });
    if (rows !== undefined && !isRight(reply, rows))
      wrong.push(`${label}: ${JSON.stringify(reply)} to ${JSON.stringify(rows)}`);
    if (number % 500 === 0) onProgress(archives + number);
  }

  await harness.models.settle();
  await harness.disk.settle();
  const entries = await readdir(join(directory, 'models'));
  return {
    answers,
    wrong: [...wrong, ...boundsBroken(harness.models.usage())],
    slowestMs,
    leakedFiles: entries.length - 2 * harness.disk.count,
    usage: harness.models.usage(),
    grownBytes: process.memoryUsage.rss() - rssBefore,
  };
};

const TYPED: ReadonlySet<string> = new Set(['ValidationError', 'ModelError']);
const OF_THIS_MACHINE = /\/(tmp|work|home|root)\//;

const problemWith = (reply: InferenceReply): string | undefined => {
  if (reply.ok) return unreadable(reply.contentType, reply.body, reply.isBase64Encoded === true);
  const { code, message } = reply;
  if (!TYPED.has(code)) return `${code}: ${message}`;
  if (message === '' || message.length > 2048) return `a message of ${message.length} characters`;
  if (/[\n\r]/.test(message)) return `a message of several lines: ${JSON.stringify(message)}`;
  return OF_THIS_MACHINE.test(message) ? `a path in the message: ${message}` : undefined;
};

const unreadable = (contentType: string, body: string, isBase64: boolean): string | undefined => {
  try {
    if (contentType === 'application/json') JSON.parse(body);
    else if (isBase64 !== (contentType !== 'text/csv'))
      return `${contentType} as ${isBase64 ? 'bytes' : 'text'}`;
    return undefined;
  } catch (error) {
    return `an answer that is no JSON: ${String(error)}`;
  }
};

/** The numbers of an answer, whatever its form. */
const isRight = (reply: InferenceReply, rows: readonly (readonly [number, number])[]): boolean => {
  if (!reply.ok) return false;
  const value = JSON.parse(reply.body) as Record<string, unknown>;
  const outputs = value['outputs'];
  const list = Array.isArray(value) ? value : (value['predictions'] ?? outputs);
  const first = Array.isArray(outputs) ? (outputs[0] as { data?: unknown }) : undefined;
  const numbers = ((first?.data ?? list) as unknown[]).flat(2).map(Number);
  return numbers.length === rows.length && rows.every(([a, b], row) => numbers[row] === a + 2 * b + 3);
};

const boundsBroken = ({
  memoryBytes,
  diskBytes,
}: {
  memoryBytes: number;
  diskBytes: number;
}): readonly string[] => [
  ...(memoryBytes > MEMORY_BYTES ? [`${memoryBytes} bytes of memory, above the bound`] : []),
  ...(diskBytes > DISK_BYTES ? [`${diskBytes} bytes of disk, above the bound`] : []),
];
