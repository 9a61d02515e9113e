import type { Clock } from '../../lib/clock.ts';
import type { Environment, EnvironmentOptions } from './environment.ts';
import type { Launcher } from './launcher.ts';

export interface OnDemandOptions extends Pick<EnvironmentOptions, 'onReady' | 'onExit' | 'onSoonFree'> {
  readonly launcher: Launcher;
  /** Of all versions together. */
  readonly maxEnvironments: number;
  readonly mostEnvironments: number;
  readonly now: Clock;
}

/**
 * A run that lasts longer is held up by something else than a core, or has one to itself. With shorter ones calls wait because the cores are
 * busy, and every process more makes all of them slower.
 */
const LONG_RUN_MS = 100;

/** When there has been no long run for so long, environments beyond the usual number cost more than they serve. */
const QUIET_MS = 5000;

/**
 * The environments of one function that were started because a call needed one. The oldest is taken first: what serves most of the calls is
 * compiled best, and those left over fall idle and can be reaped.
 */
export class OnDemand {
  readonly #options: OnDemandOptions;
  readonly #all = new Set<Environment>();
  /** Least recently used first. */
  readonly #idle = new Map<Environment, { readonly sinceMs: number }>();
  readonly #starting = new Set<Environment>();
  #longRunAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OnDemandOptions) {
    this.#options = options;
  }

  get environments(): ReadonlySet<Environment> {
    return this.#all;
  }

  get startingCount(): number {
    return this.#starting.size;
  }

  get busyCount(): number {
    let busy = 0;
    for (const { isBusy } of this.#all) if (isBusy) busy++;
    return busy;
  }

  /** How many of each version are starting. */
  starting(): ReadonlyMap<string, number> {
    const starting = new Map<string, number>();
    for (const { version } of this.#starting) starting.set(version, (starting.get(version) ?? 0) + 1);
    return starting;
  }

  has(environment: Environment): boolean {
    return this.#all.has(environment);
  }

  isIdle(environment: Environment): boolean {
    return this.#idle.has(environment);
  }

  takeIdle(version: string): Environment | undefined {
    for (const environment of this.#all) {
      if (environment.version === version && this.#idle.delete(environment)) return environment;
    }
    return undefined;
  }

  /** Nobody needs it now. */
  keep(environment: Environment): void {
    this.#idle.set(environment, { sinceMs: this.#options.now() });
  }

  mayGrow(): boolean {
    return !this.#isFull() || this.#idle.size > 0;
  }

  /** Of a call that has run. */
  noteRun(durationMs: number): void {
    if (durationMs >= LONG_RUN_MS) this.#longRunAtMs = this.#options.now();
  }

  /** There are more than usual, and no reason for it any more. */
  get isTooMany(): boolean {
    if (this.#all.size <= this.#options.maxEnvironments) return false;
    if (this.#options.now() - this.#longRunAtMs < QUIET_MS) return false;
    for (const { runningMs } of this.#all) if (runningMs >= LONG_RUN_MS) return false;
    return true;
  }

  /** Whether one more may start for a call that has waited long, though there are as many as usual. */
  mayGrowFurther(): boolean {
    if (this.#starting.size > 0 || this.#all.size >= this.#options.mostEnvironments) return false;
    for (const { runningMs } of this.#all) if (runningMs < LONG_RUN_MS) return false;
    return true;
  }

  /** Only while it `mayGrow()`, or may further. What is idle then is of another version, or no call would wait: it makes room. */
  start(version: string): void {
    const [leastUsed] = this.#idle.keys();
    if (this.#isFull() && leastUsed !== undefined) this.#discard(leastUsed);
    const environment = this.#options.launcher.start({
      version,
      provisioned: false,
      onReady: (ready) => {
        this.#starting.delete(ready);
        this.#options.onReady(ready);
      },
      onExit: (gone, initFailure) => {
        this.#forget(gone);
        this.#options.onExit(gone, initFailure);
      },
      onSoonFree: this.#options.onSoonFree,
    });
    this.#all.add(environment);
    this.#starting.add(environment);
  }

  /** Ends those that have been idle for at least `idleMs`. */
  reap(idleMs: number): void {
    for (const [environment, { sinceMs }] of this.#idle) {
      if (this.#options.now() - sinceMs >= idleMs) this.#discard(environment);
    }
  }

  /** Ends one that is not needed. */
  retire(environment: Environment): void {
    this.#discard(environment);
  }

  #isFull(): boolean {
    return this.#all.size >= this.#options.maxEnvironments;
  }

  #discard(environment: Environment): void {
    this.#forget(environment);
    void environment.end();
  }

  #forget(environment: Environment): void {
    this.#all.delete(environment);
    this.#idle.delete(environment);
    this.#starting.delete(environment);
  }
}
