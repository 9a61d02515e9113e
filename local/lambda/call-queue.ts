import type { Clock } from '../../lib/clock.ts';
import type { Outcome } from './environment.ts';
import type { LambdaError } from './lambda-error.ts';

/** So long a call may wait before more environments than usual are thought of. */
const LONG_WAIT_MS = 150;

/** How often waiting calls are looked at for whether their time is up. */
const SWEEP_EVERY_MS = 100;

export interface PoolCall {
  readonly version: string;
  readonly requestId: string;
  readonly arn: string;
  readonly payload: string;
  readonly clientContext: string | undefined;
  readonly tail: boolean;
}

/** A call that was run. */
export interface Ran {
  readonly outcome: Outcome;
  /** By a provisioned environment; `undefined` where the version has no provisioned concurrency to spill over from. */
  readonly byProvisioned: boolean | undefined;
}

export interface Waiting {
  readonly call: PoolCall;
  readonly sinceMs: number;
  readonly expiresAtMs: number;
  readonly resolve: (ran: Ran | Promise<Ran>) => void;
  readonly reject: (error: LambdaError) => void;
}

export interface CallQueueOptions {
  readonly now: Clock;
  readonly waitMs: number;
  /** How many environments of each version are on their way. */
  readonly starting: () => ReadonlyMap<string, number>;
  readonly expired: () => LambdaError;
  /** Told of the call that has waited longest, again and again while it waits. */
  readonly onLongWait: (call: PoolCall) => void;
}

/** The calls of one function that wait for an environment, in order of arrival. */
export class CallQueue {
  readonly #options: CallQueueOptions;
  #waiting: Waiting[] = [];
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: CallQueueOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#waiting.length;
  }

  wait(call: PoolCall): Promise<Ran> {
    const sinceMs = this.#options.now();
    const expiresAtMs = sinceMs + this.#options.waitMs;
    this.#sweep ??= setInterval(() => this.#look(), SWEEP_EVERY_MS);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, sinceMs, expiresAtMs, resolve, reject });
    });
  }

  has(version: string): boolean {
    return this.#waiting.some(({ call }) => call.version === version);
  }

  /** Takes the call of a version that has waited longest, if it fits; none is passed over. */
  take(version: string, fits: (call: PoolCall) => boolean = () => true): Waiting | undefined {
    const next = this.#waiting.findIndex(({ call }) => call.version === version);
    const waiting = this.#waiting[next];
    if (waiting === undefined || !fits(waiting.call)) return undefined;
    this.#waiting.splice(next, 1);
    return waiting;
  }

  /** The calls that wait while no environment of their version is starting for them. */
  uncovered(): readonly Waiting[] {
    const starting = new Map(this.#options.starting());
    return this.#waiting.filter(({ call }) => {
      const count = starting.get(call.version) ?? 0;
      starting.set(call.version, count - 1);
      return count <= 0;
    });
  }

  close(error: LambdaError): void {
    this.#stopSweep();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #look(): void {
    this.#expire();
    const [first] = this.#waiting;
    if (first !== undefined && this.#options.now() - first.sinceMs >= LONG_WAIT_MS) {
      this.#options.onLongWait(first.call);
    }
  }

  /** Calls for which an environment is starting are left to it: its init phase has a time limit of its own. */
  #expire(): void {
    const nowMs = this.#options.now();
    const expired = new Set(this.uncovered().filter(({ expiresAtMs }) => nowMs >= expiresAtMs));
    for (const { reject } of expired) reject(this.#options.expired());
    if (expired.size > 0) this.#waiting = this.#waiting.filter((waiting) => !expired.has(waiting));
    if (this.#waiting.length === 0) this.#stopSweep();
  }

  #stopSweep(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
