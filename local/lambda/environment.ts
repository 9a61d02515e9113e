import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { FunctionConfig } from './function-config.ts';
import type { LogFile } from './log-file.ts';
import { LogTail } from './log-tail.ts';
import type { EventMessage, RuntimeMessage } from './messages.ts';

const RUNTIME = join(import.meta.dirname, 'runtime.ts');
/** An on-demand init phase may take 10 s (Lambda developer guide, "Lambda execution environment lifecycle"). */
const INIT_WITHIN_MS = 10_000;

/** What came of one event: the function's result, or a function error (Lambda's `Unhandled`). */
export interface Outcome {
  readonly ok: boolean;
  readonly payload: string;
  /** The last 4 KB printed; only where it was asked for. */
  readonly log?: string;
}

export interface EnvironmentOptions {
  readonly config: FunctionConfig;
  readonly version: string;
  readonly id: string;
  /** Its private /tmp. */
  readonly scratch: string;
  readonly log: LogFile;
  /** The process is ready for its first event. */
  readonly onReady: (environment: Environment) => void;
  /** The process is gone; `initFailure` where it never became ready. */
  readonly onExit: (environment: Environment, initFailure: Outcome | undefined) => void;
}

interface Running {
  readonly requestId: string;
  readonly resolve: (outcome: Outcome | undefined) => void;
  delivered: boolean;
  readonly timer: NodeJS.Timeout;
  /** Only where it was asked for. */
  readonly tail: LogTail | undefined;
}

/**
 * One execution environment: a process of its own with its own module graph, environment variables and /tmp, so
 * that whatever a model does, a native crash included, ends nothing else. It takes one event at a time, and is
 * killed when it outlasts the function's timeout or outgrows its memory. Its /tmp has no size limit here.
 */
export class Environment {
  readonly version: string;
  readonly memorySizeMb: number;
  readonly #options: EnvironmentOptions;
  readonly #child: ChildProcess;
  #running: Running | undefined;
  #ready = false;
  #failure: { readonly type: string; readonly message: string } | undefined;
  #initFailure: string | undefined;
  readonly #ended: Promise<void>;

  constructor(options: EnvironmentOptions) {
    const { config, version, scratch } = options;
    this.version = version;
    this.memorySizeMb = config.memorySizeMb;
    this.#options = options;
    mkdirSync(scratch, { recursive: true });
    this.#child = fork(RUNTIME, [], {
      cwd: config.codeDirectory,
      env: environmentVariables(options),
      // Lambda gives V8 nine tenths of the memory, so that garbage is collected before the bound is met.
      execArgv: [`--max-old-space-size=${Math.floor(config.memorySizeMb * 0.9)}`],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });

    const initTimer = setTimeout(() => {
      this.kill('Sandbox.Timedout', `Init timed out after ${(INIT_WITHIN_MS / 1000).toFixed(2)} seconds`);
    }, INIT_WITHIN_MS);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#onOutput(text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#onOutput(text));
    this.#child.on('message', (message: RuntimeMessage) => {
      clearTimeout(initTimer);
      this.#onMessage(message);
    });
    // A message to a process that has just ended fails; its end is handled where it is told, below.
    this.#child.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        clearTimeout(initTimer);
        this.#onExit(code, signal);
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Runs one event. Never rejects: whatever ends the process is an outcome.
   * @returns `undefined` when the process was gone before the event reached it, so that another may take it
   */
  run(event: Omit<EventMessage, 'deadlineMs'>, nowMs: number): Promise<Outcome | undefined> {
    const timeoutMs = 1000 * this.#options.config.timeoutSeconds;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.kill('Sandbox.Timedout', `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`);
      }, timeoutMs);
      const { requestId, markLog } = event;
      const tail = markLog ? new LogTail(requestId) : undefined;
      const running: Running = { requestId, resolve, delivered: false, timer, tail };
      this.#running = running;
      this.#child.send({ ...event, deadlineMs: nowMs + timeoutMs }, (error) => {
        running.delivered = error === null;
      });
    });
  }

  /** Ends the process; what it is running fails with this error. */
  kill(type: string, message: string): void {
    this.#failure ??= { type, message };
    this.#child.kill('SIGKILL');
  }

  /** Ends the process and waits until it is gone. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #onMessage(message: RuntimeMessage): void {
    if (!this.#ready) {
      if (message.kind === 'failed') {
        this.#initFailure = message.payload;
        this.#child.kill('SIGKILL');
        return;
      }
      this.#ready = true;
      this.#options.onReady(this);
    } else if (message.kind !== 'ready') {
      void this.#finish({ ok: message.kind === 'answer', payload: message.payload });
    }
  }

  async #finish(outcome: Outcome): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    clearTimeout(running.timer);
    await running.tail?.complete();
    this.#settle(running, outcome);
  }

  #settle(running: Running, outcome: Outcome): void {
    // The process may have ended while the answer waited for its log.
    if (this.#running !== running) return;
    this.#running = undefined;
    running.resolve(running.tail === undefined ? outcome : { ...outcome, log: running.tail.text });
  }

  #giveBack(running: Running): void {
    this.#running = undefined;
    running.resolve(undefined);
  }

  #onOutput(text: string): void {
    this.#options.log.append(this.#running?.tail?.push(text) ?? text);
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    rmSync(this.#options.scratch, { recursive: true, force: true });
    const how = signal === null ? `exit status ${code}` : `signal: ${SIGNAL_WORDS[signal] ?? signal}`;
    const failure = this.#failure ?? {
      type: 'Runtime.ExitError',
      message: `Runtime exited with error: ${how}`,
    };
    const encode = (requestId: string): Outcome => ({
      ok: false,
      payload: JSON.stringify({
        errorType: failure.type,
        errorMessage: `RequestId: ${requestId} Error: ${failure.message}`,
      }),
    });

    const running = this.#running;
    if (running !== undefined) {
      clearTimeout(running.timer);
      if (running.delivered) this.#settle(running, encode(running.requestId));
      else this.#giveBack(running);
    }
    const initFailure =
      this.#initFailure === undefined ? encode('init') : { ok: false, payload: this.#initFailure };
    this.#options.onExit(this, this.#ready ? undefined : initFailure);
  }
}

const SIGNAL_WORDS: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: 'killed',
  SIGABRT: 'aborted',
  SIGSEGV: 'segmentation fault',
};

/** What Lambda sets, and what the function asks for: nothing of the user's own environment, keys least of all. */
const environmentVariables = ({
  config,
  version,
  id,
  scratch,
}: EnvironmentOptions): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  LANG: 'en_US.UTF-8',
  TZ: ':UTC',
  HOME: scratch,
  // os.tmpdir() is /tmp on Lambda; here it is a folder that goes with the environment.
  TMPDIR: scratch,
  NODE_PATH: config.nodePath.join(delimiter),
  LAMBDA_TASK_ROOT: config.codeDirectory,
  _HANDLER: config.handler,
  AWS_REGION: config.region,
  AWS_DEFAULT_REGION: config.region,
  AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
  AWS_LAMBDA_FUNCTION_NAME: config.name,
  AWS_LAMBDA_FUNCTION_VERSION: version,
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(config.memorySizeMb),
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${config.name}`,
  AWS_LAMBDA_LOG_STREAM_NAME: `local/[${version}]${id}`,
  AWS_EC2_METADATA_DISABLED: 'true',
  ...config.environment,
});
