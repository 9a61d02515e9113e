import { createEngineRegistry } from '../../lib/engines/registry.ts';
import { DiskCache } from '../../lib/models/disk-cache.ts';
import { nativeBytes } from '../../lib/models/memory-forecast.ts';
import { createModels, type Models, type ModelsOptions } from '../../lib/models/models.ts';
import type { InferenceConfig } from './config.ts';
import { createLoadedNotes, type LoadedNotesOptions } from './loaded-notes.ts';

/** Files that an artifact may have. */
const MAX_ENTRIES = 1000;

export interface OpenModelsOptions
  extends InferenceConfig,
    Pick<ModelsOptions, 'store' | 'weights' | 'loads' | 'metrics' | 'now' | 'timer' | 'onFault'>,
    Pick<LoadedNotesOptions, 'catalog' | 'log'> {}

/** A worker's models, in the memory and on the disk that its configuration gives them. */
export const openModels = (options: OpenModelsOptions): Models => {
  const { diskRoot: root, diskBytes: maxBytes, now, onFault } = options;
  return createModels({
    ...options,
    disk: new DiskCache({ root, maxBytes, onError: (error) => onFault(error, 'the copies on disk') }),
    engine: createEngineRegistry({ allowCustomCode: options.allowCustomCode, now }),
    limits: { maxUnpackedBytes: maxBytes, maxEntries: MAX_ENTRIES },
    nativeBytes: () => nativeBytes(process.memoryUsage()),
    onLoaded: createLoadedNotes(options),
  });
};
