import type { Clock } from '../../lib/clock.ts';
import type { Admission } from './admission.ts';
import { CallQueue, type PoolCall, type Ran, type Waiting } from './call-queue.ts';
import type { Environment, Outcome } from './environment.ts';
import type { FunctionConfig } from './function-config.ts';
import { shuttingDown, throttled } from './lambda-error.ts';
import type { Launcher } from './launcher.ts';
import { OnDemand } from './on-demand.ts';
import { Provisioned } from './provisioned.ts';

export interface PoolOptions {
  readonly config: FunctionConfig;
  readonly launcher: Launcher;
  readonly admission: Admission;
  readonly now: Clock;
  /** How many calls may wait for an environment; 0: none, as on AWS. */
  readonly queueLength: number;
  readonly queueWaitMs: number;
  /** From a request for provisioned concurrency to the start of its environments. */
  readonly allocationDelayMs: number;
  /** A provisioned environment takes ten calls a second. */
  readonly isRateBounded: boolean;
}

/**
 * The environments of one function. A call takes a free provisioned one of its version; else it spills over to those
 * on demand, of which there are at most `maxEnvironments`, started when calls need them. Else it waits, in order of
 * arrival per version, for one to start or to become free, whichever is first. AWS has no such queue: it starts
 * another environment or throttles.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly provisioned: Provisioned;
  readonly #onDemand: OnDemand;
  readonly #queue: CallQueue;
  #closed = false;

  constructor(options: PoolOptions) {
    const { config, launcher, now, queueLength, queueWaitMs, allocationDelayMs, isRateBounded } = options;
    this.#options = options;
    this.provisioned = new Provisioned({
      launcher,
      onFree: (version) => this.#serveWaiting(version),
      delayMs: allocationDelayMs,
      isRateBounded,
      now,
    });
    this.#onDemand = new OnDemand({
      launcher,
      maxEnvironments: config.maxEnvironments,
      mostEnvironments: config.mostEnvironments ?? config.maxEnvironments,
      now,
      onReady: (ready) => this.#offer(ready),
      onExit: (gone, initFailure) => this.#onExit(gone, initFailure),
      // Where nothing may wait, as on AWS, nothing may wait there either.
      onSoonFree:
        config.forwards === true && queueLength > 0
          ? (environment) => this.#serveNext(environment)
          : undefined,
    });
    this.#queue = new CallQueue({
      now,
      waitMs: queueWaitMs,
      starting: () => this.#onDemand.starting(),
      expired: () => throttled(config.name, 'had no free environment in time'),
      onLongWait: ({ version }) => {
        if (this.#onDemand.mayGrowFurther()) this.#onDemand.start(version);
      },
    });
  }

  get environments(): readonly Environment[] {
    return [...this.#onDemand.environments, ...this.provisioned.environments];
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Executions that are no provisioned environment's: calls that are run, and those for which one is starting. */
  get onDemandExecutions(): number {
    return this.#onDemand.busyCount + this.#queue.length - this.#queue.uncovered().length;
  }

  isIdle(environment: Environment): boolean {
    return this.#onDemand.isIdle(environment) || this.provisioned.isIdle(environment);
  }

  /** @throws LambdaError TooManyRequestsException, at once or later, when no environment may take the call in time. */
  run(call: PoolCall): Promise<Ran> {
    this.#options.admission.admitCall();
    return this.#dispatch(call);
  }

  /** Ends the environments on demand that have been idle for at least `idleMs`. */
  reap(idleMs: number): void {
    this.#onDemand.reap(idleMs);
  }

  /** Refuses calls that wait, ends every environment at once, and waits until all of them are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#queue.close(shuttingDown());
    this.provisioned.close();
    await this.#options.launcher.close();
  }

  #dispatch(call: PoolCall): Promise<Ran> {
    if (this.#closed) throw shuttingDown();
    const provisioned = this.provisioned.take(call.version);
    if (provisioned !== undefined) return this.#runOn(provisioned, call);
    this.#options.admission.admitOnDemand();
    const idle = this.#onDemand.takeIdle(call.version);
    if (idle !== undefined) return this.#runOn(idle, call);

    const { config, queueLength } = this.#options;
    const waitingForOthers = this.#queue.length - this.#onDemand.startingCount;
    if (!this.#onDemand.mayGrow() && waitingForOthers >= queueLength) {
      const busy = this.#onDemand.environments.size;
      throw throttled(config.name, `has ${busy} busy environments, and no more are allowed`);
    }
    const ran = this.#queue.wait(call);
    this.#grow();
    return ran;
  }

  async #runOn(environment: Environment, call: PoolCall): Promise<Ran> {
    const { requestId, payload, arn, clientContext, tail } = call;
    const event = { requestId, arn, clientContext, markLog: tail };
    const outcome = await environment.run(event, payload, this.#options.now());
    if (outcome === undefined) return this.#dispatch(call);
    this.#onDemand.noteRun(outcome.durationMs);
    // It may run another by now, which it was handed meanwhile.
    if (!environment.isBusy) this.#free(environment);
    return this.#describeRun(call, outcome, environment.provisioned);
  }

  #free(environment: Environment): void {
    if (environment.provisioned) this.provisioned.release(environment);
    else if (this.#onDemand.has(environment)) this.#offer(environment);
  }

  #describeRun({ version }: PoolCall, outcome: Outcome, byProvisioned: boolean): Ran {
    const isConfigured = this.provisioned.forVersion(version) !== undefined;
    return { outcome, byProvisioned: byProvisioned || isConfigured ? byProvisioned : undefined };
  }

  /** Hands a free environment to the first call that waits for its version, else keeps it for later. */
  #offer(environment: Environment): void {
    if (this.#onDemand.isTooMany) {
      this.#onDemand.retire(environment);
      return;
    }
    const waiting = this.#queue.take(environment.version);
    if (waiting !== undefined) {
      this.#serve(waiting, environment);
      return;
    }
    this.#onDemand.keep(environment);
    this.#grow();
  }

  /** Hands free provisioned environments to the calls that wait for their version. */
  #serveWaiting(version: string): void {
    while (this.#queue.has(version)) {
      const environment = this.provisioned.take(version);
      if (environment === undefined) return;
      this.#serve(this.#queue.take(version), environment);
    }
  }

  /**
   * Hands the next call to an environment that is about to answer another: it finds it there, and need not be woken for it. Only calls that nobody
   * reads the log of, as what is printed is told apart by the call that runs.
   */
  #serveNext(environment: Environment): void {
    if (!this.#onDemand.has(environment) || this.#onDemand.isTooMany) return;
    this.#serve(
      this.#queue.take(environment.version, ({ tail }) => !tail),
      environment,
    );
  }

  #serve(waiting: Waiting | undefined, environment: Environment): void {
    waiting?.resolve(this.#runOn(environment, waiting.call));
  }

  /** Starts an environment for every call that waits and has none on its way, as far as there is room. */
  #grow(): void {
    if (this.#queue.length === 0 || !this.#onDemand.mayGrow()) return;
    for (const { call } of this.#queue.uncovered()) {
      if (!this.#onDemand.mayGrow()) return;
      this.#onDemand.start(call.version);
    }
  }

  #onExit(gone: Environment, initFailure: Outcome | undefined): void {
    if (this.#closed) return;
    // The call that asked for this environment is told why it did not start; the others get another one.
    if (initFailure !== undefined) {
      const asked = this.#queue.take(gone.version);
      asked?.resolve(this.#describeRun(asked.call, initFailure, false));
    }
    this.#grow();
  }
}
