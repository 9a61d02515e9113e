import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { Environment, type Outcome } from './environment.ts';
import { type FunctionConfig, functionArn } from './function-config.ts';
import { LambdaError, throttled } from './lambda-error.ts';
import type { LogFile } from './log-file.ts';

/** How often waiting calls are looked at for whether their time is up. */
const SWEEP_EVERY_MS = 100;

export interface PoolOptions {
  readonly config: FunctionConfig;
  /** Folder under which environments get their private /tmp. */
  readonly scratchRoot: string;
  readonly log: LogFile;
  readonly now: Clock;
  /** How many calls may wait for an environment; 0: none, as on AWS. */
  readonly queueLength: number;
  readonly queueWaitMs: number;
}

export interface PoolCall {
  readonly version: string;
  readonly payload: string;
  readonly tail: boolean;
}

interface Waiting {
  readonly call: PoolCall;
  readonly requestId: string;
  readonly expiresAtMs: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: LambdaError) => void;
}

/**
 * The environments of one function: at most `maxEnvironments`, started when calls need them. A call takes the most
 * recently used idle one, so that those left over fall idle and can be reaped; else it waits, in order of arrival,
 * for one to start or to become free. AWS has no such queue: it starts another environment or throttles.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #all = new Set<Environment>();
  /** Least recently used first. */
  readonly #idle = new Map<Environment, { readonly sinceMs: number }>();
  readonly #starting = new Set<Environment>();
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
  run(call: PoolCall, requestId: string): Promise<Outcome> {
    const idle = this.#takeIdle(call.version);
    if (idle !== undefined) return this.#runOn(idle, call, requestId);

    const { config, queueLength, queueWaitMs, now } = this.#options;
    if (this.#closed) return Promise.reject(closing());
    const waitingForOthers = this.#queue.length - this.#starting.size;
    if (!this.#mayGrow() && waitingForOthers >= queueLength) {
      return Promise.reject(
        throttled(config.name, `has ${this.#all.size} busy environments, and no more are allowed`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ call, requestId, resolve, reject, expiresAtMs: now() + queueWaitMs });
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

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopSweep();
    for (const { reject } of this.#queue.splice(0)) reject(closing());
    await Promise.all([...this.#all].map((environment) => environment.end()));
  }

  #takeIdle(version: string): Environment | undefined {
    const matching = [...this.#idle.keys()].findLast((environment) => environment.version === version);
    if (matching !== undefined) this.#idle.delete(matching);
    return matching;
  }

  async #runOn(environment: Environment, call: PoolCall, requestId: string): Promise<Outcome> {
    const { config, now } = this.#options;
    const arn = functionArn(config, call.version);
    const outcome = await environment.run(
      { requestId, payload: call.payload, arn, markLog: call.tail },
      now(),
    );
    if (outcome === undefined) return this.run(call, requestId);
    if (this.#all.has(environment)) this.#release(environment);
    return outcome;
  }

  /** Hands a free environment to the first call that waits for its version, else keeps it for later. */
  #release(environment: Environment): void {
    const next = this.#queue.findIndex(({ call }) => call.version === environment.version);
    const [waiting] = next < 0 ? [] : this.#queue.splice(next, 1);
    if (waiting !== undefined) {
      this.#runOn(environment, waiting.call, waiting.requestId).then(waiting.resolve, waiting.reject);
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
    for (const { call } of this.#queue.slice(this.#starting.size)) {
      if (!this.#mayGrow()) return;
      // What is idle now is of another version, or the call would not wait: it makes room.
      const [leastUsed] = this.#idle.keys();
      if (this.#all.size >= this.#options.config.maxEnvironments && leastUsed) this.#discard(leastUsed);
      this.#start(call.version);
    }
  }

  #start(version: string): void {
    const { config, scratchRoot, log } = this.#options;
    const id = randomUUID();
    const environment = new Environment({
      config,
      version,
      id,
      scratch: join(scratchRoot, id),
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
    void environment.end();
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
    this.#queue = this.#queue.filter((waiting, index) => {
      const stays = index < this.#starting.size || now() < waiting.expiresAtMs;
      if (!stays) waiting.reject(throttled(config.name, 'had no free environment in time'));
      return stays;
    });
    if (this.#queue.length === 0) this.#stopSweep();
  }

  #stopSweep(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

const closing = (): LambdaError =>
  new LambdaError('ServiceException', 500, 'the local cloud is shutting down');
