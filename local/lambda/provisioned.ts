import type { Clock } from '../../lib/clock.ts';
import { Allocation, type AllocationStatus } from './allocation.ts';
import type { Environment } from './environment.ts';
import { shuttingDown } from './lambda-error.ts';
import type { Launcher } from './launcher.ts';

export interface ProvisionedOptions {
  readonly launcher: Launcher;
  /** An environment of the version has become free. */
  readonly onFree: (version: string) => void;
  readonly delayMs: number;
  readonly isRateBounded: boolean;
  readonly now: Clock;
}

export interface ProvisionedConfig {
  /** The version or alias that it was asked for. */
  readonly qualifier: string;
  readonly version: string;
  readonly lastModifiedMs: number;
  readonly allocation: Allocation;
}

/** The provisioned concurrency of one function: at most one configuration for each version. */
export class Provisioned {
  readonly #options: ProvisionedOptions;
  readonly #byQualifier = new Map<string, ProvisionedConfig>();
  /** Let go while busy: they end when they have answered. */
  readonly #leaving = new Set<Environment>();
  #closed = false;

  constructor(options: ProvisionedOptions) {
    this.#options = options;
  }

  get configs(): readonly ProvisionedConfig[] {
    return [...this.#byQualifier.values()];
  }

  get environments(): readonly Environment[] {
    return [...this.configs.flatMap(({ allocation }) => allocation.environments), ...this.#leaving];
  }

  get busyCount(): number {
    return this.configs.reduce((sum, { allocation }) => sum + allocation.busyCount, this.#leaving.size);
  }

  get allocated(): number {
    return this.configs.reduce((sum, { allocation }) => sum + allocation.status.allocated, 0);
  }

  get claimed(): number {
    return this.configs.reduce((sum, { allocation }) => sum + allocation.claimed, 0);
  }

  get(qualifier: string): ProvisionedConfig | undefined {
    return this.#byQualifier.get(qualifier);
  }

  forVersion(version: string): ProvisionedConfig | undefined {
    for (const config of this.#byQualifier.values()) if (config.version === version) return config;
    return undefined;
  }

  /**
   * Whether there is room for it has been looked at before.
   * @returns the state before anything has started
   * @throws LambdaError ServiceException when the service is closing.
   */
  put(qualifier: string, version: string, count: number): AllocationStatus & { lastModifiedMs: number } {
    if (this.#closed) throw shuttingDown();
    const allocation = this.get(qualifier)?.allocation ?? this.#createAllocation(version);
    const lastModifiedMs = this.#options.now();
    this.#byQualifier.set(qualifier, { qualifier, version, lastModifiedMs, allocation });
    allocation.request(count);
    return { ...allocation.status, status: 'IN_PROGRESS', lastModifiedMs };
  }

  delete(qualifier: string): void {
    const config = this.#byQualifier.get(qualifier);
    this.#byQualifier.delete(qualifier);
    config?.allocation.end();
  }

  /** An alias has been pointed to another version: what it had asked for is allocated anew, for that one. */
  move(alias: string, version: string): void {
    const config = this.#byQualifier.get(alias);
    if (config === undefined || config.version === version) return;
    const count = config.allocation.status.requested;
    this.delete(alias);
    this.put(alias, version, count);
  }

  isIdle(environment: Environment): boolean {
    return this.forVersion(environment.version)?.allocation.isIdle(environment) ?? false;
  }

  take(version: string): Environment | undefined {
    return this.forVersion(version)?.allocation.take();
  }

  /** Its call is answered. */
  release(environment: Environment): void {
    if (this.forVersion(environment.version)?.allocation.release(environment)) return;
    this.#leaving.delete(environment);
    void environment.end();
  }

  close(): void {
    this.#closed = true;
    for (const { qualifier } of this.configs) this.delete(qualifier);
  }

  #createAllocation(version: string): Allocation {
    const { launcher, onFree, delayMs, isRateBounded, now } = this.#options;
    return new Allocation({
      start: ({ onReady, onExit }) =>
        launcher.start({
          version,
          provisioned: true,
          onReady,
          onExit: (gone, initFailure) => {
            this.#leaving.delete(gone);
            onExit(gone, initFailure);
          },
        }),
      letGo: (environment) => this.#letGo(environment),
      onFree: () => onFree(version),
      delayMs,
      isRateBounded,
      now,
    });
  }

  #letGo(environment: Environment): void {
    if (environment.isBusy) this.#leaving.add(environment);
    else void environment.end();
  }
}
