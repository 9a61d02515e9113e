import type { WorkerCatalog } from '../../lib/catalog/worker-catalog.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Metrics } from '../../lib/metrics/metrics.ts';
import { type ModelShare, ModelShares } from '../../lib/metrics/model-shares.ts';
import type { Models } from '../../lib/models/models.ts';
import { within } from '../../lib/within.ts';

export interface CallNotesOptions {
  readonly metrics: Metrics;
  readonly models: Pick<Models, 'describe'>;
  readonly catalog: Pick<WorkerCatalog, 'noteMeasured'>;
  /** Publishes what was done for one model as metrics of its own. */
  readonly publishShare: (share: ModelShare, atMs: number) => void;
  /** True in an environment of provisioned concurrency: its start is nobody's wait. */
  readonly startsAhead: boolean;
  /** What the init phase took, in milliseconds. */
  readonly initMs: number;
  readonly tickMs: number;
  /** Of the group: `hot-NN` is a slot. */
  readonly group: string;
  readonly now: Clock;
  readonly onError: (error: unknown, model: string) => void;
}

export interface CallNotes {
  /** @param waitedMs of `tookMs`, how long the call waited for its model to load */
  note(model: string, tookMs: number, waitedMs: number): void;
  /** What goes out beside a call must be out before its answer: an environment is frozen then. */
  settle(): Promise<void>;
}

/** What the scaler learns from a worker: how slow it is to start, and which models have a real share of its time. */
export const createCallNotes = (options: CallNotesOptions): CallNotes => {
  const { metrics, models, catalog, publishShare, startsAhead, initMs, tickMs, group, now, onError } =
    options;
  const shares = new ModelShares({ windowMs: tickMs, namesAll: group.startsWith('hot-') });
  /** By model, the artifact that was measured. */
  const measured = new Map<string, string>();
  let isFirst = true;
  let sending: Promise<unknown> | undefined;

  const noteMeasured = async (model: string): Promise<void> => {
    const description = models.describe(model);
    if (description === undefined || measured.get(model) === description.etag) return;
    // At most ten models have a share at a time.
    if (measured.size >= MAX_MEASURED) measured.clear();
    measured.set(model, description.etag);
    await catalog.noteMeasured(model, description).catch((error: unknown) => {
      measured.delete(model);
      onError(error, model);
    });
  };

  return {
    note(model, tookMs, waitedMs) {
      // What the next calls load, a provisioned worker would load as well: only the start is saved by having one.
      if (isFirst && !startsAhead) metrics.timeMicros('OnDemandStartTime', 1000 * (initMs + waitedMs));
      isFirst = false;

      const nowMs = now();
      shares.note(model, Math.max(0, tookMs - waitedMs), nowMs);
      const due = shares.takeDue(nowMs);
      if (due === undefined || due.shares.length === 0) return;
      for (const share of due.shares) publishShare(share, due.atMs);
      sending = Promise.all(due.shares.map((share) => noteMeasured(share.model)));
    },
    async settle() {
      if (sending === undefined) return;
      await within(MAX_SETTLE_MS, sending);
      sending = undefined;
    },
  };
};

const MAX_MEASURED = 1000;
const MAX_SETTLE_MS = 500;
