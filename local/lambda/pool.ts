import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { Environment, type Outcome } from './environment.ts';
import type { FunctionConfig } from './function-config.ts';
import { LambdaError, throttled } from './lambda-error.ts';
import type { LogFile } from './log-file.ts';

/** How often waiting calls are looked at for whether their time is up. */
const SWEEP_EVERY_MS = 100;

export interface PoolOptions {
  readonly config: FunctionConfig;
  /** Folder under which environments get their private /tmp. */
  readonly scratchRoot: string;
  readonly compileCache: string;
  readonly log: LogFile;
  readonly now: Clock;
  /** How many calls may wait for an environment; 0: none, as on AWS. */
  readonly queueLength: number;
  readonly queueWaitMs: number;
}

export interface PoolCall {
  readonly version: string;
  readonly requestId: string;
  readonly arn: string;
  readonly payload: string;
  readonly clientContext: string | undefined;
  readonly tail: boolean;
}

interface Waiting {
  readonly call: PoolCall;
  readonly expiresAtMs: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: LambdaError) => void;
}

/**
 * The environments of one function: at most `maxEnvironments`, started when calls need them. A call takes the most
 * recently used idle one, so that those left over fall idle and can be reaped; else it waits, in order of arrival
 * per version, for one to start or to become free, whichever is first. AWS has no such queue: it starts another
 * environment or throttles.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #all = new Set<Environment>();
  /** Least recently used first. */
  readonly #idle = new Map<Environment, { readonly sinceMs: number }>();
  readonly #starting = new Set<Environment>();
  /** Out of use, and not yet gone. */
  readonly #ending = new Set<Promise<void>>();
  #queue: Waiting[] = [];
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get environments(): ReadonlySet<Environment> {
    return this.#all;
  }

  get queued(): number {
    return this.#queue.length;
  }

  isIdle(environment: Environment): boolean {
    return this.#idle.has(environment);
  }

  /** @throws LambdaError TooManyRequestsException when no environment may take the call in time. */
  run(call: PoolCall): Promise<Outcome> {
    if (this.#closed) return Promise.reject(closing());
    const idle = this.#takeIdle(call.version);
    if (idle !== undefined) return this.#runOn(idle, call);

    const { config, queueLength, queueWaitMs, now } = this.#options;
    const waitingForOthers = this.#queue.length - this.#starting.size;
    if (!this.#mayGrow() && waitingForOthers >= queueLength) {
      return Promise.reject(
        throttled(config.name, `has ${this.#all.size} busy environments, and no more are allowed`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ call, resolve, reject, expiresAtMs: now() + queueWaitMs });
      this.#grow();
      this.#sweep ??= setInterval(() => this.#expire(), SWEEP_EVERY_MS);
    });
  }

  /** Ends the environments that have been idle for at least `idleMs`. */
  reap(idleMs: number): void {
    for (const [environment, { sinceMs }] of this.#idle) {
      if (this.#options.now() - sinceMs >= idleMs) this.#discard(environment);
    }
  }

  /** Refuses calls that wait, ends every environment at once, and waits until all of them are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopSweep();
    for (const { reject } of this.#queue.splice(0)) reject(closing());
    await Promise.all([...[...this.#all].map((environment) => environment.end()), ...this.#ending]);
    this.#options.log.close();
  }

  #takeIdle(version: string): Environment | undefined {
    let newest: Environment | undefined;
    for (const environment of this.#idle.keys()) if (environment.version === version) newest = environment;
    if (newest !== undefined) this.#idle.delete(newest);
    return newest;
  }

  async #runOn(environment: Environment, call: PoolCall): Promise<Outcome> {
    const { requestId, payload, arn, clientContext, tail } = call;
    const event = { requestId, payload, arn, clientContext, markLog: tail };
    const outcome = await environment.run(event, this.#options.now());
    if (outcome === undefined) return this.run(call);
    if (this.#all.has(environment)) this.#release(environment);
    return outcome;
  }

  /** Hands a free environment to the first call that waits for its version, else keeps it for later. */
  #release(environment: Environment): void {
    const next = this.#queue.findIndex(({ call }) => call.version === environment.version);
    const [waiting] = next < 0 ? [] : this.#queue.splice(next, 1);
    if (waiting !== undefined) {
      this.#runOn(environment, waiting.call).then(waiting.resolve, waiting.reject);
      return;
    }
    this.#idle.set(environment, { sinceMs: this.#options.now() });
    this.#grow();
  }

  #mayGrow(): boolean {
    return this.#all.size < this.#options.config.maxEnvironments || this.#idle.size > 0;
  }

  /** Starts an environment for every call that waits and has none on its way, as far as there is room. */
  #grow(): void {
    if (this.#queue.length === 0 || !this.#mayGrow()) return;
    for (const { call } of this.#uncovered()) {
      if (!this.#mayGrow()) return;
      // What is idle now is of another version, or the call would not wait: it makes room.
      const [leastUsed] = this.#idle.keys();
      if (this.#all.size >= this.#options.config.maxEnvironments && leastUsed) this.#discard(leastUsed);
      this.#start(call.version);
    }
  }

  /** The calls that wait while no environment of their version is starting for them. */
  #uncovered(): readonly Waiting[] {
    const starting = new Map<string, number>();
    for (const { version } of this.#starting) starting.set(version, (starting.get(version) ?? 0) + 1);
    return this.#queue.filter(({ call }) => {
      const count = starting.get(call.version) ?? 0;
      starting.set(call.version, count - 1);
      return count <= 0;
    });
  }

  #start(version: string): void {
    const { config, scratchRoot, compileCache, log } = this.#options;
    const id = randomUUID();
    const environment = new Environment({
      config,
      version,
      id,
      scratch: join(scratchRoot, id),
      compileCache,
      log,
      onReady: (ready) => {
        this.#starting.delete(ready);
        this.#release(ready);
      },
      onExit: (gone, initFailure) => this.#onExit(gone, initFailure),
    });
    this.#all.add(environment);
    this.#starting.add(environment);
  }

  #discard(environment: Environment): void {
    this.#idle.delete(environment);
    this.#all.delete(environment);
    const ended = environment.end().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #onExit(gone: Environment, initFailure: Outcome | undefined): void {
    this.#all.delete(gone);
    this.#idle.delete(gone);
    this.#starting.delete(gone);
    if (this.#closed) return;

    // The call that asked for this environment is told why it did not start; the others get another one.
    if (initFailure !== undefined) {
      const asked = this.#queue.findIndex(({ call }) => call.version === gone.version);
      if (asked >= 0) this.#queue.splice(asked, 1)[0]?.resolve(initFailure);
    }
    this.#grow();
  }

  /** Calls for which an environment is starting are left to it: its init phase has a time limit of its own. */
  #expire(): void {
    const { now, config } = this.#options;
    const expired = new Set(this.#uncovered().filter(({ expiresAtMs }) => now() >= expiresAtMs));
    for (const { reject } of expired) reject(throttled(config.name, 'had no free environment in time'));
    if (expired.size > 0) this.#queue = this.#queue.filter((waiting) => !expired.has(waiting));
    if (this.#queue.length === 0) this.#stopSweep();
  }

  #stopSweep(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

const closing = (): LambdaError =>
  new LambdaError('ServiceException', 500, 'the local cloud is shutting down');
