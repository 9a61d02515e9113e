import type { ArchiveLimits } from '../archive/entry-policy.ts';
import { SingleFlight } from '../cache/single-flight.ts';
import type { Clock } from '../clock.ts';
import type { Engine, ModelLease } from '../engines/engine.ts';
import { ServingError } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { within } from '../within.ts';
import type { DiskCache } from './disk-cache.ts';
import { createFetchFolder } from './fetch-folder.ts';
import { Freshness } from './freshness.ts';
import { createLoading } from './loading.ts';
import type { Loads } from './loads.ts';
import { Looks } from './looks.ts';
import { MemoryCache } from './memory-cache.ts';
import type { ModelStore } from './model-store.ts';
import { createOpenFolder } from './open-folder.ts';
import { Refusals } from './refusals.ts';
import { Reloads } from './reloads.ts';
import type { ServingProperties } from './serving-properties.ts';
import { SlowLoads } from './slow-loads.ts';
import { Waits } from './waits.ts';
import type { WeightsOptions } from './weights.ts';

export interface ModelsOptions {
  readonly store: ModelStore;
  readonly weights: Omit<WeightsOptions, 'limits' | 'addBytes'>;
  readonly loads: Loads;
  readonly disk: DiskCache;
  readonly memoryBytes: number;
  readonly engine: Engine;
  readonly limits: ArchiveLimits;
  readonly metrics: Metrics;
  /** How long a model is served before the store is asked whether it has changed. */
  readonly refreshMs: number;
  /** How long an artifact that cannot be served is answered for without asking the store. */
  readonly refusalMs: number;
  /** What loads at least this long is loaded by one worker at a time. */
  readonly slowLoadMs: number;
  readonly now: Clock;
  /** In milliseconds with fractions, for durations only. */
  readonly timer: () => number;
  /** What the process takes of memory outside JavaScript's heap, in bytes. */
  readonly nativeBytes: () => number;
  /** Told of an artifact that has been fetched and opened, with its properties. */
  readonly onLoaded: (name: string, properties: ServingProperties) => Promise<void>;
  /** Told of failures that no call has to bear. */
  readonly onFault: (error: unknown, name: string) => void;
}

export interface Models {
  /**
   * Opens a model from where it is nearest: memory, disk, store. Calls that come together share one load.
   * @throws ServingError ValidationError for a model that is not in the store, ModelError for one that cannot be
   * served, ModelNotReadyException for one that another worker is loading, and what the store throws.
   */
  open(name: string): Promise<ModelLease>;
  /** Asks the store now whether an open model has changed, and waits for what comes of it. Never fails: what is open stays. */
  look(name: string): Promise<void>;
  /** Waits for what calls have set going beside them: an environment is frozen when it has answered. */
  settle(): Promise<void>;
  usage(): ModelsUsage;
  /** What a model that is open was measured to be; `undefined` when it is not open. */
  describe(name: string): ModelDescription | undefined;
}

export interface ModelsUsage {
  readonly models: number;
  readonly memoryBytes: number;
  /** The most that `memoryBytes` may be. */
  readonly maxMemoryBytes: number;
  readonly diskBytes: number;
}

export interface ModelDescription {
  readonly etag: string;
  readonly sizeBytes: number;
  readonly loadMs: number;
  /** Why the object that is in the store now has not taken over. */
  readonly refused?: string;
  /** As its serving.properties say. */
  readonly maxWorkers?: number;
  readonly maxIdleSeconds?: number;
  readonly batchSize?: number;
}

/** The one place where the tiers meet. */
export const createModels = (options: ModelsOptions): Models => {
  const { disk, metrics, now, timer, onFault } = options;
  const flights = new SingleFlight<void>();
  const refreshes = new Map<string, Promise<unknown>>();
  const freshness = new Freshness({ ttlMs: options.refreshMs, now });
  const refusals = new Refusals({ ttlMs: options.refusalMs, now });
  const reloads = new Reloads();
  const waits = new Waits();

  const memory = new MemoryCache({
    maxBytes: options.memoryBytes,
    onEvict: (name) => reloads.noteEvicted(name),
    onClose: (closed) => {
      const startedMs = timer();
      closed.then(
        () => metrics.timeMicros('ModelUnloadingTime', 1000 * (timer() - startedMs)),
        (error: unknown) => onFault(error, 'closing a model'),
      );
    },
  });

  const looks = new Looks({
    store: options.store,
    freshness,
    etagOf: (name) => memory.etagOf(name),
    refreshMs: options.refreshMs,
    now,
    onError: (error) => onFault(error, 'the list of models'),
  });

  const open = async (name: string): Promise<ModelLease> => {
    let lease = memory.lease(name);
    metrics.sample('ModelCacheHit', lease === undefined ? 0 : 1);
    if (lease !== undefined) {
      if (freshness.isFresh(name)) looks.noteFresh(name);
      else refresh(name);
      return lease;
    }

    const startedMs = timer();
    try {
      for (let attempt = 0; lease === undefined && attempt < MAX_LOADS; attempt++) {
        await flights.run(name, () => load(name));
        lease = memory.lease(name);
      }
    } finally {
      metrics.timeMicros('ModelLoadingWaitTime', 1000 * (timer() - startedMs));
    }
    if (lease !== undefined) return { ...lease, waitedMs: timer() - startedMs };
    throw new ServingError(
      'ServiceUnavailable',
      `model ${name} is evicted as soon as it is loaded; try again`,
    );
  };

  const openFolder = createOpenFolder({
    engine: options.engine,
    memory,
    nativeBytes: options.nativeBytes,
    timer,
    openModel: (waiting, name) => waits.during(waiting, name, () => open(name)),
  });

  const fetchFolder = createFetchFolder({ disk, limits: options.limits, weights: options.weights, timer });

  const loading = createLoading({
    store: options.store,
    disk,
    freshness,
    refusals,
    slowLoads: new SlowLoads({
      loads: options.loads,
      slowMs: options.slowLoadMs,
      now,
      onError: (error) => onFault(error, 'the loads of other workers'),
    }),
    // Models that are open may hold their folders: rather than refuse, those go that are not running.
    fetchFolder: async (name, object, addBytes) => {
      if (disk.isFullOfLeases(object.sizeBytes)) memory.dropThoseWithFolders();
      return fetchFolder(name, object, addBytes);
    },
    openFolder,
    metrics,
    now,
    onLoaded: options.onLoaded,
    onFault,
  });

  const load = async (name: string): Promise<void> => {
    const opened = await loading.load(name);
    metrics.count('ModelReloads', reloads.countLoad(name));
    await memory.add(name, opened)[Symbol.asyncDispose]();
  };

  /** The call that finds a model due is answered by what is there; what is new takes over when it is open. */
  const refresh = (name: string): void => {
    const etag = memory.etagOf(name);
    if (refreshes.has(name) || etag === undefined) return;
    const refreshing = loading
      .loadChanged(name, etag)
      .then(async (changed) => {
        if (changed === 'gone') memory.drop(name);
        else if (changed !== 'unchanged') await memory.add(name, changed)[Symbol.asyncDispose]();
      })
      .catch((error: unknown) => onFault(error, name));
    settleLater(name, refreshing);
    const page = looks.noteDue(name);
    // No call needs it: it is waited for so long in all, however many calls come meanwhile.
    if (page !== undefined) settleLater(A_PAGE, within(MAX_SETTLE_MS, page));
  };

  const settleLater = (key: string, work: Promise<unknown>): void => {
    refreshes.set(
      key,
      work.finally(() => refreshes.delete(key)),
    );
  };

  return {
    open,
    async look(name) {
      refresh(name);
      await within(MAX_LOOK_MS, refreshes.get(name) ?? Promise.resolve());
    },
    async settle() {
      if (refreshes.size > 0) await within(MAX_SETTLE_MS, Promise.all(refreshes.values()));
    },
    usage: () => ({
      models: memory.count,
      memoryBytes: memory.bytes,
      maxMemoryBytes: memory.maxBytes,
      diskBytes: disk.bytes,
    }),
    describe(name) {
      const open = memory.describe(name);
      const refusal = refusals.find(name);
      if (open === undefined || refusal === undefined || refusal.etag === open.etag) return open;
      return { ...open, refused: refusal.error.message };
    },
  };
};

/** Beside the names of models. */
const A_PAGE = '';

/** A model may be evicted between its load and its use, when others load at the same time. */
const MAX_LOADS = 3;

/** A call that asks what a model is waits for a new version so long. */
const MAX_LOOK_MS = 20_000;

/** What takes longer goes on when the environment is thawed for its next call. */
const MAX_SETTLE_MS = 2000;
