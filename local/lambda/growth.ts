import type { Environment, EnvironmentOptions, Outcome } from './environment.ts';

export interface GrowthOptions {
  readonly start: (handlers: Pick<EnvironmentOptions, 'onReady' | 'onExit'>) => Environment;
  /** What Lambda prepares before the first of them starts. */
  readonly delayMs: number;
  /** All of them are initialised. */
  readonly onDone: (environments: readonly Environment[]) => void;
  /** One of them failed to: none of them is kept. */
  readonly onFailed: (failure: Outcome) => void;
}

/** An increase of provisioned concurrency: nothing of it is usable until all of it is. */
export class Growth {
  readonly #options: GrowthOptions;
  readonly #starting = new Set<Environment>();
  readonly #ready = new Set<Environment>();
  readonly #timer: NodeJS.Timeout | undefined;
  #size: number;
  #hasBegun = false;
  #isOver = false;

  constructor(size: number, options: GrowthOptions) {
    this.#size = size;
    this.#options = options;
    if (options.delayMs > 0) this.#timer = setTimeout(() => this.#begin(), options.delayMs);
    else this.#begin();
  }

  get environments(): readonly Environment[] {
    return [...this.#starting, ...this.#ready];
  }

  /** Another number was asked for meanwhile. */
  resize(size: number): void {
    this.#size = size;
    if (this.#hasBegun) this.#adjust();
  }

  cancel(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const environment of this.#removeAll()) void environment.end();
  }

  #begin(): void {
    this.#hasBegun = true;
    this.#adjust();
  }

  #adjust(): void {
    for (const environment of this.environments.slice(0, Math.max(0, this.#count - this.#size))) {
      this.#remove(environment);
      void environment.end();
    }
    while (this.#count < this.#size) this.#start();
    if (this.#starting.size === 0) this.#finish();
  }

  #start(): void {
    const environment = this.#options.start({
      onReady: (ready) => {
        if (!this.#starting.delete(ready)) return;
        this.#ready.add(ready);
        if (this.#starting.size === 0) this.#finish();
      },
      onExit: (gone, initFailure) => this.#onExit(gone, initFailure),
    });
    this.#starting.add(environment);
  }

  #onExit(gone: Environment, initFailure: Outcome | undefined): void {
    if (!this.#remove(gone) || this.#isOver) return;
    if (initFailure === undefined) {
      this.#adjust();
    } else {
      this.cancel();
      this.#options.onFailed(initFailure);
    }
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.onDone(this.#removeAll());
  }

  get #count(): number {
    return this.#starting.size + this.#ready.size;
  }

  #remove(environment: Environment): boolean {
    return this.#starting.delete(environment) || this.#ready.delete(environment);
  }

  #removeAll(): readonly Environment[] {
    const all = this.environments;
    this.#starting.clear();
    this.#ready.clear();
    return all;
  }
}
