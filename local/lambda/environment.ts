import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { AnsweredInvoke } from './answer-invoke.ts';
import { Channel } from './channel.ts';
import { type EnvironmentIdentity, environmentVariables } from './environment-variables.ts';
import { describeEnd } from './exit-words.ts';
import type { LogFile } from './log-file.ts';
import { type LogStream, LogTail } from './log-tail.ts';
import {
  EVENT_FD,
  type EventMessage,
  INVOKED_FD,
  type InvokedMessage,
  type RuntimeMessage,
} from './messages.ts';

const RUNTIME = join(import.meta.dirname, 'runtime.ts');
/** An on-demand init phase may take 10 s (Lambda developer guide, "Lambda execution environment lifecycle"). */
const INIT_WITHIN_MS = 10_000;
/** A provisioned one may take as long as the longest timeout (same guide). */
const PROVISIONED_INIT_WITHIN_MS = 900_000;

/** A call that has its answer from another function, and does so little with it, is as good as over. */
const SOON_MS = 2;

/** What came of one event: the function's result, a function error (Lambda's `Unhandled`), or text that is no JSON. */
export interface Outcome {
  readonly kind: 'answer' | 'failed' | 'unreadable';
  readonly payload: string;
  /** The last 4 KB printed; only where it was asked for. */
  readonly log?: string;
  /** From the event's leaving to its answer; 0 where no handler ran. */
  readonly durationMs: number;
}

type Ending = Pick<Outcome, 'kind' | 'payload'>;

export interface EnvironmentOptions extends EnvironmentIdentity {
  readonly log: LogFile;
  /** What it prints to stdout. */
  readonly onOutput: (text: string) => void;
  /** Nothing more comes. */
  readonly onOutputEnded: () => void;
  /** Answers a call of another function. */
  readonly onInvoke?: ((message: RuntimeMessage, payload: string) => Promise<AnsweredInvoke>) | undefined;
  /** The event that it runs is about to be answered: the next may be handed to it, and is run then. */
  readonly onSoonFree?: ((environment: Environment) => void) | undefined;
  /** The process is ready for its first event. */
  readonly onReady: (environment: Environment) => void;
  /** The process is gone; `initFailure` where it never became ready. */
  readonly onExit: (environment: Environment, initFailure: Outcome | undefined) => void;
}

interface Running {
  readonly requestId: string;
  readonly resolve: (outcome: Outcome | undefined) => void;
  timer: NodeJS.Timeout | undefined;
  startedMs: number;
  /** When it was answered by another function; 0 before. */
  invokedMs: number;
  /** Other functions that it waits for. */
  invokes: number;
  /** The whole event has left this process, and nothing says that the function has not seen it. */
  isDelivered: boolean;
  /** Only where it was asked for. */
  readonly tail: LogTail | undefined;
}

/**
 * One execution environment: a process of its own with its own module graph, environment variables and /tmp, so
 * that whatever a model does, a native crash included, ends nothing else. It takes one event at a time, and is
 * killed when it outlasts the function's timeout or outgrows its memory. Between events it is frozen, but for threads of its own. Unlike on AWS
 * its /tmp has no size limit, and an init phase that fails is not tried again within the same call.
 */
export class Environment {
  readonly version: string;
  readonly provisioned: boolean;
  readonly #options: EnvironmentOptions;
  readonly #child: ChildProcess;
  readonly #pipe: Socket;
  readonly #channel: Channel<EventMessage, RuntimeMessage>;
  readonly #invoked: Channel<InvokedMessage, never>;
  /** The time for the init phase. */
  #initTimer: NodeJS.Timeout | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #running: Running | undefined;
  /** Has been handed over, and is run after `#running`. */
  #next: Running | undefined;
  /** By what the process has said, though this side has given it up. */
  #isNextBegun = false;
  /** From another function's answer to its own, at the last call; only of calls that asked one. */
  #afterInvokedMs = Number.POSITIVE_INFINITY;
  #isReady = false;
  /** Why this side ends it: the type and message of what it was running. */
  #killed: { readonly type: string; readonly message: string } | undefined;
  /** Why it ends by itself, as it said: the payload of a function error. */
  #lastWords: string | undefined;
  #invocations = 0;
  #memoryBytes = 0;

  constructor(options: EnvironmentOptions) {
    const { config, version, provisioned, scratch } = options;
    this.version = version;
    this.provisioned = provisioned;
    this.#options = options;
    mkdirSync(scratch, { recursive: true });
    // Lambda gives V8 nine tenths of the memory, so that garbage is collected before the bound is met.
    const heap = `--max-old-space-size=${Math.floor(config.memorySizeMb * 0.9)}`;
    this.#child = spawn(process.execPath, [heap, RUNTIME], {
      cwd: config.codeDirectory,
      env: environmentVariables(options),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    this.#pipe = this.#child.stdio[EVENT_FD] as Socket;
    this.#channel = new Channel(this.#pipe, (message, text) => this.#onMessage(message, text));
    this.#invoked = new Channel(this.#child.stdio[INVOKED_FD] as Socket, () => undefined);
    this.#listen();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** How long the call has been running that it runs now; 0 while it runs none. */
  get runningMs(): number {
    return this.#running === undefined ? 0 : performance.now() - this.#running.startedMs;
  }

  get invocations(): number {
    return this.#invocations;
  }

  /** Resolves when the process and its /tmp are gone. */
  get gone(): Promise<void> {
    return this.#ended.promise;
  }

  /** As of the last look; 0 before the first. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /**
   * Runs one event, after the one that it runs now where it is soon free. Never rejects: whatever ends the process is an outcome.
   * @returns `undefined` when the process was gone before the event reached it, so that another may take it
   */
  run(
    event: Omit<EventMessage, 'kind' | 'deadlineMs'>,
    payload: string,
    nowMs: number,
  ): Promise<Outcome | undefined> {
    if (this.#killed !== undefined) return Promise.resolve(undefined);
    const { requestId, arn, clientContext, markLog } = event;
    const tail = markLog ? new LogTail(requestId, this.version) : undefined;

    return new Promise((resolve) => {
      const running: Running = {
        requestId,
        resolve,
        timer: undefined,
        startedMs: 0,
        invokedMs: 0,
        invokes: 0,
        isDelivered: false,
        tail,
      };
      if (this.#running === undefined) this.#begin(running);
      else this.#next = running;
      const deadlineMs = nowMs + this.#timeoutMs;
      const message = { kind: 'event', requestId, deadlineMs, arn, clientContext, markLog } as const;
      this.#channel.send(message, payload, (error) => {
        running.isDelivered = error === null || error === undefined;
      });
    });
  }

  get #timeoutMs(): number {
    return 1000 * this.#options.config.timeoutSeconds;
  }

  #begin(running: Running): void {
    this.#invocations++;
    this.#running = running;
    running.startedMs = performance.now();
    running.timer = setTimeout(() => {
      const seconds = (this.#timeoutMs / 1000).toFixed(2);
      this.#kill('Sandbox.Timedout', `Task timed out after ${seconds} seconds`);
    }, this.#timeoutMs);
  }

  /** What it holds now; above the function's memory it is killed. */
  holdsMemory(bytes: number): void {
    this.#memoryBytes = bytes;
    const limitMb = this.#options.config.memorySizeMb;
    const usedMb = toMb(bytes);
    if (usedMb <= limitMb) return;
    this.#kill('Runtime.OutOfMemory', `Memory Size: ${limitMb} MB Max Memory Used: ${usedMb} MB`);
  }

  /** Ends the process, and waits until it and its /tmp are gone. Lambda gives no SIGTERM either, unless to extensions. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended.promise;
  }

  #kill(type: string, message: string): void {
    this.#killed ??= { type, message };
    this.#child.kill('SIGKILL');
  }

  #listen(): void {
    const child = this.#child;
    const initWithinMs = this.provisioned ? PROVISIONED_INIT_WITHIN_MS : INIT_WITHIN_MS;
    this.#initTimer = setTimeout(() => {
      this.#kill('Sandbox.Timedout', `Init timed out after ${(initWithinMs / 1000).toFixed(2)} seconds`);
    }, initWithinMs);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#onOutput('stdout', text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#onOutput('stderr', text));

    child.once('close', () => {
      this.#running?.tail?.end();
      this.#options.onOutputEnded();
    });

    const onEnd = (how: string): void => {
      clearTimeout(this.#initTimer);
      this.#onEnd(how);
    };
    // The channel closes after its last message, which may come later than the exit.
    const exited = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(describeEnd(code, signal)));
    });
    const disconnected = new Promise((resolve) => {
      this.#pipe.once('close', resolve);
    });
    // Whoever closes it takes no more events.
    this.#pipe.once('close', () => child.kill('SIGKILL'));
    void Promise.all([exited, disconnected]).then(([how]) => onEnd(how));
    // It could not be started; there is no exit then.
    child.on('error', (error) => {
      if (child.pid === undefined) onEnd(error.message);
    });
  }

  #onMessage(message: RuntimeMessage, payload: string): void {
    const { kind } = message;
    if (this.#killed !== undefined) {
      // A process that is being killed may still answer: its call has failed by then, and the next has begun, whatever that says after it.
      this.#isNextBegun ||= kind !== 'invoke' && kind !== 'fatal';
    } else if (kind === 'invoke') {
      this.#invoke(message, payload);
    } else if (kind === 'fatal') {
      this.#lastWords = payload;
      // Between two events: the one that has left this process was never seen.
      if (this.#running !== undefined && this.#running.requestId !== message.requestId) {
        this.#running.isDelivered = false;
      }
    } else if (kind === 'ready') {
      clearTimeout(this.#initTimer);
      this.#isReady = true;
      this.#options.onReady(this);
    } else if (this.#running !== undefined) {
      this.#finish(this.#running, { kind, payload });
    }
  }

  #invoke(message: RuntimeMessage, payload: string): void {
    const asking = this.#running;
    if (asking !== undefined) asking.invokes++;
    void this.#options.onInvoke?.(message, payload).then(({ invoked, body }) => {
      if (!this.#pipe.writable) return;
      this.#invoked.send(invoked, body);
      if (asking === undefined) return;
      asking.invokes--;
      // After another answer than a result something may come yet, such as a call of another function.
      const isResult = invoked.status === 200 && invoked.headers['x-amz-function-error'] === undefined;
      if (isResult && asking.invokes === 0 && asking === this.#running) this.#noteInvoked(asking);
    });
  }

  #noteInvoked(running: Running): void {
    // What is printed for the next would be taken for its own.
    if (this.#next !== undefined || running.tail !== undefined) return;
    running.invokedMs = performance.now();
    if (this.#afterInvokedMs < SOON_MS) this.#options.onSoonFree?.(this);
  }

  #finish(running: Running, { kind, payload }: Ending): void {
    clearTimeout(running.timer);
    const nowMs = performance.now();
    const outcome = { kind, payload, durationMs: nowMs - running.startedMs };
    if (running.invokedMs > 0) this.#afterInvokedMs = nowMs - running.invokedMs;
    const settle = (): void => {
      // The process may have ended while the answer waited for its log.
      if (this.#running === running) this.#settle(running, outcome);
    };
    if (running.tail === undefined) settle();
    else void running.tail.complete().then(settle);
  }

  #settle(running: Running, outcome: Outcome): void {
    this.#running = undefined;
    const { tail } = running;
    const next = this.#takeNext();
    if (next !== undefined) this.#begin(next);
    if (tail === undefined) {
      running.resolve(outcome);
      return;
    }
    const { memorySizeMb } = this.#options.config;
    tail.report({ ms: outcome.durationMs, memorySizeMb, usedMb: toMb(this.#memoryBytes) });
    running.resolve({ ...outcome, log: tail.text });
  }

  #takeNext(): Running | undefined {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  #onOutput(stream: LogStream, text: string): void {
    const printed = this.#running?.tail?.push(stream, text) ?? text;
    this.#options.log.append(printed);
    if (stream === 'stdout' && printed !== '') this.#options.onOutput(printed);
  }

  #onEnd(how: string): void {
    const running = this.#running;
    const next = this.#takeNext();
    // First, so that a call that is given back does not come here again.
    this.#options.onExit(this, this.#isReady ? undefined : { ...this.#failure('init', how), durationMs: 0 });
    if (running !== undefined) void this.#fail(running, how);
    if (next !== undefined && this.#isNextBegun) void this.#fail(next, how);
    else next?.resolve(undefined);
    rm(this.#options.scratch, { recursive: true, force: true })
      .catch(() => undefined)
      .finally(this.#ended.resolve);
  }

  /** An event that never reached the process is given back, unless this side ended it for that very event. */
  async #fail(running: Running, how: string): Promise<void> {
    clearTimeout(running.timer);
    if (!running.isDelivered && this.#killed === undefined) {
      this.#running = undefined;
      running.resolve(undefined);
      return;
    }
    const durationMs = performance.now() - running.startedMs;
    const outcome = { ...this.#failure(running.requestId, how), durationMs };
    if (running.tail !== undefined) {
      await running.tail.complete();
      running.tail.add(`${outcome.payload}\n`);
    }
    this.#settle(running, outcome);
  }

  #failure(requestId: string, how: string): Ending {
    const killed = this.#killed;
    if (killed === undefined && this.#lastWords !== undefined) {
      return { kind: 'failed', payload: this.#lastWords };
    }
    const errorType = killed?.type ?? 'Runtime.ExitError';
    const message = killed?.message ?? `Runtime exited with error: ${how}`;
    const errorMessage = `RequestId: ${requestId} Error: ${message}`;
    this.#options.log.append(`${errorType}\t${errorMessage}\n`);
    return { kind: 'failed', payload: JSON.stringify({ errorType, errorMessage }) };
  }
}

const toMb = (bytes: number): number => Math.ceil(bytes / 1024 / 1024);
