/** A session of a small model; see lib/engines/onnx/onnx.ts. */
const OVERHEAD_BYTES = 128 * 1024;

/** Below this, what the process grew by is mostly chance: pages of the allocator, not the model. */
const MEASURED_FROM_BYTES = 1024 * 1024;
const LEAST_FACTOR = 0.8;
const MOST_FACTOR = 8;
const WEIGHT_OF_NEW = 0.3;

/**
 * What a model will take of memory, by the bytes of its files: a forecast that is corrected by what loads really took. As
 * ModelMesh does: forecast, load, then measure.
 */
export class MemoryForecast {
  #factor = 1;

  forecast(filesBytes: number): number {
    return OVERHEAD_BYTES + Math.ceil(this.#factor * filesBytes);
  }

  /**
   * @param grownBytes what the process grew by; undefined where other loads ran at the same time
   * @returns what the model is to be charged with: never less than the engine says
   */
  settle(loaded: {
    readonly filesBytes: number;
    readonly sizeBytes: number;
    readonly grownBytes: number | undefined;
  }): number {
    const { filesBytes, sizeBytes, grownBytes } = loaded;
    if (grownBytes === undefined || filesBytes < MEASURED_FROM_BYTES) return sizeBytes;
    const measured = Math.min(grownBytes, OVERHEAD_BYTES + MOST_FACTOR * filesBytes);
    const factor = Math.max(LEAST_FACTOR, (measured - OVERHEAD_BYTES) / filesBytes);
    this.#factor += WEIGHT_OF_NEW * (factor - this.#factor);
    return Math.max(sizeBytes, Math.ceil(measured));
  }
}

/** What a process takes outside of JavaScript's heap: the models of onnxruntime, and the runtime itself. */
export const nativeBytes = ({ rss, heapTotal, external }: NodeJS.MemoryUsage): number =>
  rss - heapTotal - external;
