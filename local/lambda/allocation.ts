import type { Clock } from '../../lib/clock.ts';
import type { Environment, EnvironmentOptions, Outcome } from './environment.ts';
import { Growth } from './growth.ts';
import { TokenBucket } from './token-bucket.ts';

/** Requests a second per provisioned environment (Lambda quotas: a version's rate is ten times its concurrency). */
const RATE_PER_ENVIRONMENT = 10;

export interface AllocationStatus {
  readonly requested: number;
  /** Granted: usable, or being replaced. */
  readonly allocated: number;
  readonly available: number;
  readonly status: 'READY' | 'IN_PROGRESS' | 'FAILED';
  readonly statusReason?: string;
}

export interface AllocationOptions {
  readonly start: (handlers: Pick<EnvironmentOptions, 'onReady' | 'onExit'>) => Environment;
  /** Takes an environment that is no longer part of the allocation, and may still be busy. */
  readonly letGo: (environment: Environment) => void;
  /** One or more have become free. */
  readonly onFree: () => void;
  readonly delayMs: number;
  readonly isRateBounded: boolean;
  readonly now: Clock;
}

/** The provisioned environments of one version. A dead one is replaced; none is ended for being idle. */
export class Allocation {
  readonly #options: AllocationOptions;
  readonly #rate: TokenBucket;
  readonly #usable = new Set<Environment>();
  /** Part of the usable ones; the most recently used last. */
  readonly #idle = new Set<Environment>();
  readonly #replacing = new Set<Environment>();
  #requested = 0;
  #growth: Growth | undefined;
  #failure: string | undefined;

  constructor(options: AllocationOptions) {
    this.#options = options;
    this.#rate = new TokenBucket(options.now);
  }

  get environments(): readonly Environment[] {
    return [...this.#usable, ...this.#replacing, ...(this.#growth?.environments ?? [])];
  }

  /** What counts as taken where others ask for concurrency. */
  get claimed(): number {
    return this.#failure === undefined ? this.#requested : this.#granted;
  }

  get busyCount(): number {
    return this.#usable.size - this.#idle.size;
  }

  get status(): AllocationStatus {
    const counts = { requested: this.#requested, allocated: this.#granted, available: this.#usable.size };
    if (this.#failure !== undefined) return { ...counts, status: 'FAILED', statusReason: this.#failure };
    return { ...counts, status: this.#growth === undefined ? 'READY' : 'IN_PROGRESS' };
  }

  request(count: number): void {
    this.#requested = count;
    this.#failure = undefined;
    const missing = count - this.#granted;
    if (missing <= 0) {
      this.#cancelGrowth();
      this.#shrink(-missing);
    } else if (this.#growth === undefined) {
      this.#grow(missing);
    } else {
      this.#growth.resize(missing);
    }
  }

  isIdle(environment: Environment): boolean {
    return this.#idle.has(environment);
  }

  /** @returns `undefined` when all are busy, or the version's rate is used up: the call spills over */
  take(): Environment | undefined {
    const newest = [...this.#idle].at(-1);
    if (newest === undefined || !this.#withinRate()) return undefined;
    this.#idle.delete(newest);
    return newest;
  }

  /** @returns whether the environment, which has finished its call, is still part of this */
  release(environment: Environment): boolean {
    if (!this.#usable.has(environment)) return false;
    this.#idle.add(environment);
    this.#options.onFree();
    return true;
  }

  end(): void {
    this.#requested = 0;
    this.#cancelGrowth();
    this.#shrink(this.#granted);
  }

  get #granted(): number {
    return this.#usable.size + this.#replacing.size;
  }

  #withinRate(): boolean {
    return !this.#options.isRateBounded || this.#rate.take(RATE_PER_ENVIRONMENT * this.#usable.size);
  }

  #grow(size: number): void {
    this.#growth = new Growth(size, {
      start: ({ onReady, onExit }) =>
        this.#options.start({
          onReady,
          onExit: (gone, initFailure) => {
            onExit(gone, initFailure);
            this.#onExit(gone);
          },
        }),
      delayMs: this.#options.delayMs,
      onDone: (environments) => {
        this.#growth = undefined;
        for (const environment of environments) this.#use(environment);
        this.#options.onFree();
      },
      onFailed: (failure) => this.#fail(failure),
    });
  }

  #cancelGrowth(): void {
    this.#growth?.cancel();
    this.#growth = undefined;
  }

  /** Those that serve nobody go first. */
  #shrink(count: number): void {
    const busy = [...this.#usable].filter((environment) => !this.#idle.has(environment));
    for (const environment of [...this.#replacing, ...this.#idle, ...busy].slice(0, count)) {
      this.#forget(environment);
      this.#options.letGo(environment);
    }
  }

  #use(environment: Environment): void {
    this.#usable.add(environment);
    this.#idle.add(environment);
  }

  /** Of what was usable, or was to become so in place of another. */
  #onExit(gone: Environment): void {
    if (this.#forget(gone)) this.#replace();
  }

  #replace(): void {
    const environment = this.#options.start({
      onReady: (ready) => {
        if (!this.#replacing.delete(ready)) return;
        this.#use(ready);
        this.#options.onFree();
      },
      onExit: (gone, initFailure) => {
        if (initFailure === undefined) this.#onExit(gone);
        else if (this.#forget(gone)) this.#fail(initFailure);
      },
    });
    this.#replacing.add(environment);
  }

  #forget(environment: Environment): boolean {
    this.#idle.delete(environment);
    return this.#usable.delete(environment) || this.#replacing.delete(environment);
  }

  #fail({ payload }: Outcome): void {
    this.#cancelGrowth();
    this.#failure = `FUNCTION_ERROR_INIT_FAILURE: ${describeFailure(payload)}`;
  }
}

const describeFailure = (payload: string): string => {
  const { errorType, errorMessage } = JSON.parse(payload) as { errorType: string; errorMessage: string };
  return `${errorType}: ${errorMessage}`;
};
