import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInference } from '../../functions/inference/inference.ts';
import type { Engine } from '../../lib/engines/engine.ts';
import { createEngineRegistry } from '../../lib/engines/registry.ts';
import { type ServingError, STATUS } from '../../lib/errors.ts';
import type { InferenceReply } from '../../lib/protocol/envelope.ts';
import { memoryJobObjects } from '../fakes/memory-job-objects.ts';
import { quietNotes } from '../fakes/quiet-notes.ts';
import { modelsHarness } from '../fixtures/models-harness.ts';
import { isSame, readAnswer } from './answers.ts';
import { type ArchiveCase, archiveCase } from './archives.ts';
import { bodyCase, type Case } from './bodies.ts';
import { SUBJECTS } from './subjects.ts';

export interface FuzzOptions {
  /** Cases of each kind, archives and bodies. */
  readonly runs: number;
  readonly seed: number;
  /** Empty; everything is written below it. */
  readonly directory: string;
  /** The first number; with `runs: 1` one case is repeated. */
  readonly from?: number;
  readonly kinds?: readonly Kind[];
  /** Told before each case: the last one is to blame when the process dies. */
  readonly onCase?: (kind: Kind, number: number, what: string) => void;
  readonly onProgress?: (done: number, report: FuzzReport) => void;
}

export type Kind = 'archive' | 'body';

export interface Failure {
  readonly kind: Kind;
  readonly number: number;
  readonly what: string;
  readonly problem: string;
}

export interface FuzzReport {
  /** How often what was done was answered how: `archive bomb: ModelError`. */
  readonly answers: Readonly<Record<string, number>>;
  /** The first of each problem come first, and no more than a few of each are kept. */
  readonly failures: readonly Failure[];
  readonly failed: number;
  readonly slowestMs: number;
  readonly mostMemoryBytes: number;
  readonly mostDiskBytes: number;
  readonly mostRssBytes: number;
  /** After the first tenth, when runtime and code are loaded. */
  readonly rssBeforeBytes: number;
  readonly rssAfterBytes: number;
  /** Entries on disk that belong to no kept model. */
  readonly leakedFiles: readonly string[];
  readonly leakedSessions: number;
}

export const BOUNDS = { memoryBytes: 10_000_000, diskBytes: 4_000_000, callMs: 5000, rssGrowthBytes: 300e6 };

/** Of one problem so many are kept. */
const KEPT = 3;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Hostile artifacts and bodies through a worker's own code, real runtime and files included, one call at a time. */
export const runFuzz = async (options: FuzzOptions): Promise<FuzzReport> => {
  const { runs, seed, directory, from = 0, kinds = ['archive', 'body'], onProgress } = options;
  const root = join(directory, 'a', 'b', 'c');
  await mkdir(root, { recursive: true });
  const counts = { opened: 0, closed: 0 };
  const harness = modelsHarness(root, counting(counts), {
    memoryBytes: BOUNDS.memoryBytes,
    diskBytes: BOUNDS.diskBytes,
    // The recording fake keeps every value, which would be growth of its own.
    metrics: {
      count: () => undefined,
      sample: () => undefined,
      timeMicros: () => undefined,
      flushIfDue: () => undefined,
    },
  });
  const faults: ServingError[] = [];
  const infer = createInference({
    jobObjects: memoryJobObjects(),
    models: harness.models,
    metrics: harness.metrics,
    notes: quietNotes,
    worker: 'fuzz',
    timer: () => performance.now(),
    onFault: (error) => faults.push(error),
  });

  const answers: Record<string, number> = {};
  const problems = new Map<string, number>();
  const failures: Failure[] = [];
  const report: Mutable<FuzzReport> = {
    answers,
    failures,
    failed: 0,
    slowestMs: 0,
    mostMemoryBytes: 0,
    mostDiskBytes: 0,
    mostRssBytes: 0,
    rssBeforeBytes: rss(),
    rssAfterBytes: 0,
    leakedFiles: [],
    leakedSessions: 0,
  };

  let current: Omit<Failure, 'problem'> = { kind: 'body', number: -1, what: 'before the first' };
  const fail = (problem: string): void => {
    report.failed += 1;
    const key = `${current.kind} ${problem.replaceAll(/fuzz-\w+-\w+|[\da-f]{8}-[\da-f-]+|\d+/g, '#').slice(0, 120)}`;
    const times = (problems.get(key) ?? 0) + 1;
    problems.set(key, times);
    if (times <= KEPT) failures.push({ ...current, problem });
  };
  const onRejection = (error: unknown): void => fail(`unhandled rejection: ${stackOf(error)}`);

  const runCase = async (kind: Kind, one: Case): Promise<void> => {
    const { number, what, call } = one;
    current = { kind, number, what };
    options.onCase?.(kind, number, what);
    faults.length = 0;
    harness.faults.length = 0;
    const startedMs = performance.now();
    const reply = await infer(call, { getRemainingTimeInMillis: () => 30_000 });
    const tookMs = performance.now() - startedMs;
    report.slowestMs = Math.max(report.slowestMs, tookMs);
    if (tookMs > BOUNDS.callMs) fail(`took ${Math.round(tookMs)} ms`);

    const answer = `${kind} ${what}: ${reply.ok ? 'ok' : reply.code}`;
    answers[answer] = (answers[answer] ?? 0) + 1;
    const problem = judge(kind, one, reply, faults);
    if (problem !== undefined) fail(problem);
    for (const { error } of harness.faults) fail(`a fault beside the call: ${stackOf(error)}`);
    const { memoryBytes, diskBytes } = harness.models.usage();
    report.mostMemoryBytes = Math.max(report.mostMemoryBytes, memoryBytes);
    report.mostDiskBytes = Math.max(report.mostDiskBytes, diskBytes);
    if (memoryBytes > BOUNDS.memoryBytes) fail(`${memoryBytes} bytes of memory are charged`);
    if (diskBytes > BOUNDS.diskBytes) fail(`${diskBytes} bytes of disk are charged`);
  };

  const runArchive = async (one: ArchiveCase): Promise<void> => {
    harness.store.put(one.call.model, one.bytes);
    await runCase('archive', one);
    harness.store.remove(one.call.model);
  };

  for (const subject of SUBJECTS) harness.store.put(subject.name, subject.artifact);
  process.on('unhandledRejection', onRejection);
  try {
    for (let done = 0; done < runs; done++) {
      if (kinds.includes('archive')) await runArchive(archiveCase(seed, from + done));
      if (kinds.includes('body')) await runCase('body', bodyCase(seed, from + done));
      // Refusals and looks at the store come with time.
      harness.nowMs += 100;
      if (done === Math.floor(runs / 10)) report.rssBeforeBytes = rss();
      if (done % 50 === 0) {
        report.mostRssBytes = Math.max(report.mostRssBytes, process.memoryUsage.rss());
        onProgress?.(done, report);
        // Events and rejections get their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    await harness.disk.settle();
  } finally {
    process.off('unhandledRejection', onRejection);
  }

  report.rssAfterBytes = rss();
  report.leakedFiles = leakedFiles(directory, join(root, 'models'), 2 * harness.disk.count);
  report.leakedSessions = counts.opened - counts.closed - harness.models.usage().models;
  await rm(directory, { recursive: true, force: true });
  return report;
};

/** What is wrong with an answer, if anything. */
const judge = (
  kind: Kind,
  { verdict, expected }: Case,
  reply: InferenceReply,
  faults: readonly ServingError[],
): string | undefined => {
  if (!reply.ok) {
    const problem = judgeRefusal(kind, reply, faults);
    if (problem !== undefined) return problem;
    return verdict === 'right' ? `refused what is good: ${reply.code} ${reply.message}` : undefined;
  }
  if (verdict === 'refused') return `answered what must be refused: ${reply.body.slice(0, 200)}`;
  try {
    const came = readAnswer(reply);
    if (verdict === 'any' || isSame(came, expected)) return undefined;
    return `wrong answer: ${show(came)} should be ${show(expected)} (${reply.contentType})`;
  } catch (error) {
    return `an answer that cannot be read as ${reply.contentType}: ${(error as Error).message} ${reply.body.slice(0, 200)}`;
  }
};

const show = (leaves: readonly unknown[]): string => leaves.slice(0, 10).map(String).join(' ').slice(0, 300);

const judgeRefusal = (
  kind: Kind,
  { code, message }: InferenceReply & { readonly ok: false },
  faults: readonly ServingError[],
): string | undefined => {
  if (code === 'InternalFailure') return `InternalFailure: ${stackOf(faults[0]?.cause)}`;
  // Inputs that fit one by one, but not each other, are the model's to refuse.
  const isModels =
    kind === 'archive' || /^the (model failed on this input|answer is too large)/.test(message);
  const isAllowed = code === 'ValidationError' || (isModels && code === 'ModelError');
  if (!Object.hasOwn(STATUS, code) || !isAllowed) return `code ${code}: ${message.slice(0, 300)}`;
  if (message === '') return 'an empty message';
  if (message.length >= 2048) return `a message of ${message.length} characters: ${message.slice(0, 100)}`;
  if (/[\r\n\v\f]/.test(message))
    return `a message of several lines: ${JSON.stringify(message).slice(0, 300)}`;
  // What the case itself names may come back.
  const named = message.replaceAll(/fuzz-escaped|"[^"]*"/g, '');
  return /\/(tmp|work|home|var)\//.test(named)
    ? `a message with a path of this machine: ${message}`
    : undefined;
};

const stackOf = (error: unknown): string =>
  String((error as Error | undefined)?.stack ?? error)
    .split('\n')
    .slice(0, 5)
    .map((line) => line.trim())
    .join(' | ');

/** Everything below the run's own folder but the two entries of each kept model. */
const leakedFiles = (directory: string, models: string, kept: number): readonly string[] => {
  const inModels = readdirSync(models);
  const outside = readdirSync(directory, { recursive: true, withFileTypes: true })
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !path.startsWith(join(models, '/')) && !models.startsWith(path));
  const escaped = ['/tmp/fuzz-escaped', '/tmp/escaped'].filter(existsSync);
  return [...outside, ...escaped, ...(inModels.length === kept ? [] : inModels)];
};

const counting = (counts: { opened: number; closed: number }): Engine => {
  const engine = createEngineRegistry({ allowCustomCode: false, now: () => performance.now() });
  return {
    async load(...args) {
      const model = await engine.load(...args);
      counts.opened += 1;
      return {
        ...model,
        async [Symbol.asyncDispose]() {
          counts.closed += 1;
          await model[Symbol.asyncDispose]();
        },
      };
    },
  };
};

const rss = (): number => {
  globalThis.gc?.();
  return process.memoryUsage.rss();
};
