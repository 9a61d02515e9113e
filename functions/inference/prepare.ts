import type { PreloadReport } from '../../lib/catalog/catalog.ts';
import type { WorkerCatalog } from '../../lib/catalog/worker-catalog.ts';
import type { Clock } from '../../lib/clock.ts';
import { toServingError } from '../../lib/errors.ts';
import type { Models } from '../../lib/models/models.ts';

export interface PrepareDeps {
  /** Whether this environment is one of provisioned concurrency. */
  readonly startsAhead: boolean;
  readonly group: string;
  readonly version: string;
  readonly models: Pick<Models, 'open' | 'usage'>;
  readonly catalog: Pick<WorkerCatalog, 'readPreloads' | 'reportPreloads'>;
  readonly loadRuntime: () => Promise<void>;
  /** What is not loaded by then is left to the first calls. */
  readonly preloadMs: number;
  /** In milliseconds, for durations only. */
  readonly timer: () => number;
  /** Epoch milliseconds. */
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * Gets ready what first calls would wait for, in an environment that starts ahead of calls: the models of its group, the
 * most valuable first, as long as there is time and room. It reports each to the group's row. Never throws: an error
 * while loading would make the whole allocation fail, while a first call can still say what is wrong.
 */
export const prepare = async (deps: PrepareDeps): Promise<void> => {
  const { startsAhead, group, version, catalog, onError, loadRuntime } = deps;
  if (!startsAhead) return;
  try {
    const [models] = await Promise.all([catalog.readPreloads(group), loadRuntime()]);
    const reports = await preload(models, deps);
    const atMs = deps.now();
    if (reports.length > 0) {
      await catalog.reportPreloads(
        group,
        version,
        reports.map((report) => ({ ...report, atMs })),
      );
    }
  } catch (error) {
    onError(error);
  }
};

const preload = async (names: readonly string[], deps: PrepareDeps): Promise<readonly PreloadReport[]> => {
  const { models, preloadMs, timer } = deps;
  const startedMs = timer();
  const reports: PreloadReport[] = [];
  for (const model of names) {
    const leftMs = preloadMs - (timer() - startedMs);
    // Timers may be a millisecond early.
    if (leftMs < 2) {
      reports.push({
        model,
        error: `no time was left of the ${preloadMs / 1000} s for loading ahead`,
        tookMs: 0,
      });
      continue;
    }
    const before = models.usage().models;
    reports.push(await openOne(model, leftMs, deps));
    // A model less, or as many: this one has pushed out one that is worth more, and so would all that follow.
    if (reports.at(-1)?.error === undefined && models.usage().models <= before) break;
  }
  return reports;
};

const openOne = async (
  model: string,
  leftMs: number,
  { models, timer }: PrepareDeps,
): Promise<PreloadReport> => {
  const startedMs = timer();
  let alarm: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_, reject) => {
    alarm = setTimeout(
      () => reject(new Error('still loading when the time for loading ahead was up')),
      leftMs,
    );
  });
  try {
    const opened = models.open(model);
    // It goes on loading when time is up, and must not be an unhandled failure then.
    opened.then(
      (lease) => lease[Symbol.asyncDispose](),
      () => undefined,
    );
    await Promise.race([opened, timeUp]);
    return { model, tookMs: timer() - startedMs };
  } catch (error) {
    return { model, error: explain(error), tookMs: timer() - startedMs };
  } finally {
    clearTimeout(alarm);
  }
};

const explain = (error: unknown): string => {
  const { code, message } = toServingError(error);
  return code === 'InternalFailure' && error instanceof Error ? error.message : message;
};
