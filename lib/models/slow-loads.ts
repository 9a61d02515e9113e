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

  /**
   * @param work gets a function to call where there turns out to be more to load than `sizeBytes`
   * @throws ServingError ModelNotReadyException where another worker is loading the model; `work` is not begun then, or
   * ended by what that function throws
   */
  async run<T>(
    model: string,
    sizeBytes: number,
    work: (addBytes: (bytes: number) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const { loads, now, onError } = this.#options;
    const startedMs = now();
    let bytes = 0;
    let isKnown = false;
    const addBytes = async (more: number): Promise<void> => {
      bytes += more;
      isKnown ||= await this.#announce(model, bytes, startedMs);
    };

    let tookMs: number | undefined;
    try {
      await addBytes(sizeBytes);
      const result = await work(addBytes);
      tookMs = now() - startedMs;
      this.#learn(bytes, tookMs);
      return result;
    } finally {
      if (isKnown) await loads.end({ model, tookMs }).catch(onError);
    }
  }

  /** @returns whether the load is slow, and the other workers know of it now */
  async #announce(model: string, bytes: number, nowMs: number): Promise<boolean> {
    const { loads, slowMs, onError } = this.#options;
    const expectedMs = Math.round(bytes * this.#msPerByte);
    if (expectedMs < slowMs) return false;
    const other = await loads.begin({ model, nowMs, expectedMs }).catch((error: unknown) => {
      onError(error);
      return undefined;
    });
    if (other !== undefined) throw notReady(model, (other.expectedEndMs - nowMs) / 1000);
    return true;
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
