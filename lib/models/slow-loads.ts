import type { Clock } from '../clock.ts';
import { ServingError } from '../errors.ts';
import type { Loads } from './loads.ts';

export interface SlowLoadsOptions {
  readonly loads: Loads;
  /** Loads that are expected to take at least this are made known to other workers. */
  readonly slowMs: number;
  readonly now: Clock;
  /** Told when the others could not be asked: the load goes on. */
  readonly onError: (error: unknown) => void;
}

/** SageMaker goes on loading for at most 360 s (multi-model endpoints, "ModelNotReadyException"). */
const MOST_SECONDS = 360;

/** 50 MB/s from S3 to an open session, until this worker knows its own speed. */
const FIRST_MS_PER_BYTE = 1 / 50_000;
const LEARN_FROM_BYTES = 1024 * 1024;
const WEIGHT_OF_NEW = 0.3;

/**
 * Environments take one call at a time, so ten first calls on ten workers would be ten loads of the same model. Of one that
 * is slow to load only the first worker loads it; the others say when to come back.
 */
export class SlowLoads {
  readonly #options: SlowLoadsOptions;
  #msPerByte = FIRST_MS_PER_BYTE;

  constructor(options: SlowLoadsOptions) {
    this.#options = options;
  }

  /** @throws ServingError ModelNotReadyException where another worker is loading the model */
  async run<T>(model: string, sizeBytes: number, work: () => Promise<T>): Promise<T> {
    const { loads, slowMs, now, onError } = this.#options;
    const startedMs = now();
    const expectedMs = Math.round(sizeBytes * this.#msPerByte);
    const isSlow = expectedMs >= slowMs;
    if (isSlow) {
      const other = await loads.begin({ model, nowMs: startedMs, expectedMs }).catch((error: unknown) => {
        onError(error);
        return undefined;
      });
      if (other !== undefined) throw notReady(model, (other.expectedEndMs - startedMs) / 1000);
    }

    let tookMs: number | undefined;
    try {
      const result = await work();
      tookMs = now() - startedMs;
      this.#learn(sizeBytes, tookMs);
      return result;
    } finally {
      if (isSlow) await loads.end({ model, tookMs }).catch(onError);
    }
  }

  #learn(sizeBytes: number, tookMs: number): void {
    if (sizeBytes < LEARN_FROM_BYTES) return;
    this.#msPerByte += WEIGHT_OF_NEW * (tookMs / sizeBytes - this.#msPerByte);
  }
}

/** @param seconds until the load is expected to end */
export const notReady = (model: string, seconds: number): ServingError =>
  new ServingError(
    'ModelNotReadyException',
    `model ${model} is being loaded by another worker; try again in ${retryAfter(seconds)} s`,
    { retryAfterSeconds: retryAfter(seconds) },
  );

const retryAfter = (seconds: number): number => Math.min(MOST_SECONDS, Math.max(1, Math.ceil(seconds)));
