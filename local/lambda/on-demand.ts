import type { Clock } from '../../lib/clock.ts';
import type { Environment, EnvironmentOptions } from './environment.ts';
import type { Launcher } from './launcher.ts';

export interface OnDemandOptions extends Pick<EnvironmentOptions, 'onReady' | 'onExit'> {
  readonly launcher: Launcher;
  /** Of all versions together. */
  readonly maxEnvironments: number;
  readonly mostEnvironments: number;
  readonly now: Clock;
}

/**
 * The environments of one function that were started because a call needed one. The most recently used is taken
 * first, so that those left over fall idle and can be reaped.
 */
export class OnDemand {
  readonly #options: OnDemandOptions;
  readonly #all = new Set<Environment>();
  /** Least recently used first. */
  readonly #idle = new Map<Environment, { readonly sinceMs: number }>();
  readonly #starting = new Set<Environment>();

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
    let newest: Environment | undefined;
    for (const environment of this.#idle.keys()) if (environment.version === version) newest = environment;
    if (newest !== undefined) this.#idle.delete(newest);
    return newest;
  }

  /** Nobody needs it now. */
  keep(environment: Environment): void {
    this.#idle.set(environment, { sinceMs: this.#options.now() });
  }

  mayGrow(): boolean {
    return !this.#isFull() || this.#idle.size > 0;
  }

  /** There are more than usual. */
  get isBeyondUsual(): boolean {
    return this.#all.size > this.#options.maxEnvironments;
  }

  /** Whether one more may start for a call that has waited long, though there are as many as usual. */
  mayGrowFurther(): boolean {
    return this.#starting.size === 0 && this.#all.size < this.#options.mostEnvironments;
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
