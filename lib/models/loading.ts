import type { Clock } from '../clock.ts';
import { ServingError } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { DiskCache, Folder } from './disk-cache.ts';
import type { AddBytes, Fetched } from './fetch-folder.ts';
import type { Freshness } from './freshness.ts';
import type { Opened } from './memory-cache.ts';
import type { ModelObject, ModelStore } from './model-store.ts';
import type { OpenedFolder } from './open-folder.ts';
import type { Refusals } from './refusals.ts';
import { readServingProperties, type ServingProperties } from './serving-properties.ts';
import type { SlowLoads } from './slow-loads.ts';

export interface LoadingOptions {
  readonly store: ModelStore;
  readonly disk: DiskCache;
  readonly freshness: Freshness;
  readonly refusals: Refusals;
  readonly slowLoads: SlowLoads;
  readonly fetchFolder: (name: string, object: ModelObject, addBytes: AddBytes) => Promise<Fetched>;
  readonly openFolder: (name: string, folder: Folder, properties: ServingProperties) => Promise<OpenedFolder>;
  readonly metrics: Metrics;
  readonly now: Clock;
  /** Told of an artifact that has been fetched and opened. */
  readonly onLoaded: (name: string, properties: ServingProperties) => Promise<void>;
  /** Told of a new version that does not load while the old one goes on serving, and of a store that does not answer meanwhile. */
  readonly onFault: (error: unknown, name: string) => void;
}

export interface Loading {
  /**
   * Opens a model from disk or from the store, whichever is nearest and current.
   * @throws ServingError ValidationError for a model that is not in the store, ModelError for one that cannot be served.
   */
  load(name: string): Promise<Opened>;
  /** Opens what the store has now, if it is not what is known already. */
  loadChanged(name: string, knownEtag: string): Promise<Opened | 'unchanged' | 'gone'>;
}

/** How a model comes from where it is kept. A new version that does not load leaves the old one as it was. */
export const createLoading = (options: LoadingOptions): Loading => {
  const { store, disk, freshness, refusals, slowLoads, metrics, now } = options;

  const open = async (
    name: string,
    folder: Folder,
    properties: ServingProperties,
  ): Promise<OpenedFolder & Pick<Opened, 'maxWorkers' | 'maxIdleSeconds' | 'batchSize'>> => {
    const opened = await options.openFolder(name, folder, properties);
    metrics.timeMicros('ModelLoadingTime', 1000 * opened.loadMs);
    const { maxWorkers, maxIdleSeconds, batchSize } = properties;
    return {
      ...opened,
      ...(maxWorkers === undefined ? {} : { maxWorkers }),
      ...(maxIdleSeconds === undefined ? {} : { maxIdleSeconds }),
      ...(batchSize === undefined ? {} : { batchSize }),
    };
  };

  /** What is on disk was good once; if it no longer is, it goes, and the store has the truth. */
  const openKept = async (name: string): Promise<Opened | undefined> => {
    const kept = await disk.lease(name);
    if (kept === undefined) return undefined;
    try {
      const { folder, release } = kept;
      const opened = await open(name, folder, await readServingProperties(folder.directory));
      if (opened.model.needsFolder) return { ...opened, etag: folder.etag, releaseFolder: release };
      release();
      return { ...opened, etag: folder.etag, releaseFolder: () => undefined };
    } catch (error) {
      disk.drop(name);
      kept.release();
      options.onFault(error, name);
      return undefined;
    }
  };

  const fetchAndOpen = async (name: string, object: ModelObject, addBytes: AddBytes): Promise<Opened> => {
    const { folder, properties } = await options.fetchFolder(name, object, addBytes);
    metrics.timeMicros('ModelDownloadingTime', 1000 * folder.fetchMs);
    try {
      const opened = await open(name, folder, properties);
      const kept = disk.keep(name, folder);
      if (!opened.model.needsFolder) kept.release();
      await options.onLoaded(name, properties).catch((error: unknown) => options.onFault(error, name));
      return { ...opened, etag: object.etag, releaseFolder: kept.release };
    } catch (error) {
      disk.discard(folder);
      throw error;
    }
  };

  /**
   * A refusal of the artifact is remembered; that the store, or room, was lacking says nothing about it.
   * @param askedMs when the store was asked: an environment may have been frozen since
   */
  const loadObject = async (name: string, object: ModelObject, askedMs: number): Promise<Opened> => {
    try {
      const opened = await slowLoads.run(name, object.sizeBytes, (addBytes) =>
        fetchAndOpen(name, object, addBytes),
      );
      refusals.forget(name);
      freshness.note(name, askedMs);
      return opened;
    } catch (error) {
      object.discard();
      if (error instanceof ServingError && error.code === 'ModelError')
        refusals.remember(name, object.etag, error);
      throw error;
    }
  };

  const loadCurrent = async (name: string): Promise<Opened> => {
    const refusal = refusals.find(name);
    const askedMs = now();
    const object = await store.get(name, refusal?.etag ?? (await disk.etagOf(name)));
    if (object === undefined) {
      disk.drop(name);
      throw notFound(name);
    }
    if (object !== 'unchanged') return loadObject(name, object, askedMs);

    if (refusal !== undefined) {
      refusals.renew(name);
      throw refusal.error;
    }
    freshness.note(name, askedMs);
    const opened = await openKept(name);
    if (opened !== undefined) return opened;
    // The copy on disk was damaged, or has made room meanwhile.
    const again = await store.get(name);
    if (again === undefined || again === 'unchanged') throw notFound(name);
    return loadObject(name, again, askedMs);
  };

  return {
    async load(name) {
      const refusal = refusals.find(name);
      if (refusal?.isFresh || (refusal === undefined && freshness.isFresh(name))) {
        const opened = await openKept(name);
        if (opened !== undefined) return opened;
        if (refusal?.isFresh) throw refusal.error;
      }
      try {
        return await loadCurrent(name);
      } catch (error) {
        const opened = isNotFound(error) ? undefined : await openKept(name);
        if (opened === undefined) throw error;
        options.onFault(error, name);
        return opened;
      }
    },

    async loadChanged(name, knownEtag) {
      const askedMs = now();
      // Also when it fails: the next look is for a later call.
      freshness.note(name, askedMs);
      const object = await store.get(name, knownEtag);
      if (object === 'unchanged') return object;
      if (object === undefined) {
        disk.drop(name);
        return 'gone';
      }
      if (refusals.find(name)?.etag !== object.etag) return loadObject(name, object, askedMs);
      object.discard();
      return 'unchanged';
    },
  };
};

const isNotFound = (error: unknown): boolean =>
  error instanceof ServingError && error.code === 'ValidationError';

const notFound = (name: string): ServingError =>
  new ServingError(
    'ValidationError',
    `model ${JSON.stringify(name)} not found: TargetModel is the key of an object below the endpoint's models prefix; upload the artifact there, or mend the name (without the bucket and the prefix)`,
  );
