import { rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { RecordMetric } from '../services/cloudwatch/metric-datum.ts';
import { Account, type Usage } from './account.ts';
import { createAdmission } from './admission.ts';
import { createAnswerInvoke } from './answer-invoke.ts';
import type { FunctionConfig } from './function-config.ts';
import { type DeployedFunction, Functions } from './functions.ts';
import { readGauges } from './gauges.ts';
import { createInvoke } from './invoke.ts';
import { Launcher, type LauncherOptions } from './launcher.ts';
import { openLogFile } from './log-file.ts';
import { watchMemory } from './memory-watch.ts';
import { Pool } from './pool.ts';
import { createRestApi } from './rest-api.ts';
import { TokenBucket } from './token-bucket.ts';
import { createVendedMetrics } from './vended-metrics.ts';

const REAP_EVERY_MS = 1000;
const DEFAULT_QUEUE_LENGTH = 1000;
/** What an account has unless it asked for more (Lambda quotas). */
const DEFAULT_ACCOUNT_CONCURRENCY = 1000;

export interface LambdaSettings {
  /** `aws`: no queue, and bounds on payloads, on rates and on the account's concurrency hold. */
  readonly limits: 'aws' | 'off';
  readonly queueWaitMs: number;
  /** How many calls may wait, per function; 1000 unless given. */
  readonly queueLength?: number;
  readonly idleMs: number;
  /** From a request for provisioned concurrency to the start of its environments; 0 unless given. */
  readonly allocationDelayMs?: number;
  /** What all functions may run at once under `aws`, and have provisioned and reserved; 1000 unless given. */
  readonly accountConcurrency?: number;
}

export interface InvokeCall {
  readonly functionName: string;
  /** A version or alias; `$LATEST` by default. */
  readonly qualifier?: string;
  /** JSON text. */
  readonly payload: string;
  readonly tail?: boolean;
  /** JSON text; the handler finds it as `context.clientContext`. */
  readonly clientContext?: string;
}

export interface InvokeResult {
  readonly payload: string;
  /** `Unhandled` when the function failed: the payload then says how. */
  readonly functionError?: 'Unhandled';
  readonly executedVersion: string;
  readonly requestId: string;
  /** The last 4 KB of the log, where `tail` asked for it. */
  readonly log?: string;
}

export interface EnvironmentStatus {
  readonly functionName: string;
  readonly version: string;
  readonly pid: number | undefined;
  /** Started for provisioned concurrency. */
  readonly provisioned: boolean;
  /** `starting`: not yet usable. */
  readonly state: 'starting' | 'idle' | 'busy';
  readonly invocations: number;
  /** As of the last look, a fraction of a second ago; 0 before the first. */
  readonly memoryBytes: number;
}

export interface QueueStatus {
  readonly functionName: string;
  readonly waiting: number;
}

export interface LambdaService {
  /** @throws LambdaError when the call is refused before any function runs: unknown, throttled, too large, no JSON. */
  invoke(call: InvokeCall): Promise<InvokeResult>;
  /** Lambda's REST API, as far as an SDK needs it to invoke, to look around and to set concurrency. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  status(): readonly EnvironmentStatus[];
  queues(): readonly QueueStatus[];
  /** Refuses calls that wait, ends every environment, and deletes what they had in /tmp. */
  close(): Promise<void>;
}

export interface LambdaOptions {
  readonly functions: readonly FunctionConfig[];
  /** Holds `logs/<function>.log`, and `environments/`: every private /tmp, and the code that Node compiled for all. */
  readonly directory: string;
  readonly settings: LambdaSettings;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
  /** Takes what Lambda tells CloudWatch, once a second. */
  readonly record?: RecordMetric;
  /** What an environment prints to stdout, in chunks as they come. */
  readonly onOutput?: (environmentId: string, text: string) => void;
  readonly onOutputEnded?: (environmentId: string) => void;
}

/** Lambda on this machine: functions, versions, aliases, and the environments that run them. */
export const createLambda = (options: LambdaOptions): LambdaService => {
  const { directory, settings, now, onError, record } = options;
  const isBounded = settings.limits === 'aws';
  const scratchRoot = join(directory, 'environments', 'tmp');
  rmSync(scratchRoot, { recursive: true, force: true });

  const account = new Account(settings.accountConcurrency ?? DEFAULT_ACCOUNT_CONCURRENCY, () =>
    functions.all.map(describeUsage),
  );
  const accountRate = new TokenBucket(now);
  const openPool = (config: FunctionConfig): Pool =>
    new Pool({
      config,
      launcher: createLauncher(config, scratchRoot, options, (message, payload) =>
        answerInvoke(message, payload),
      ),
      admission: createAdmission({ account, functionName: config.name, accountRate, isBounded, now }),
      now,
      queueLength: isBounded ? 0 : (settings.queueLength ?? DEFAULT_QUEUE_LENGTH),
      queueWaitMs: settings.queueWaitMs,
      allocationDelayMs: settings.allocationDelayMs ?? 0,
      isRateBounded: isBounded,
    });
  const functions = new Functions(options.functions.map((config) => ({ config, pool: openPool(config) })));

  const metrics = createVendedMetrics({ record, now, readGauges: () => readGauges(account, functions) });
  const { onFinished, onThrottled } = metrics;
  const invoke = createInvoke({ functions, isBounded, onFinished, onThrottled });
  const answerInvoke = createAnswerInvoke(invoke, onError);

  const memoryWatch = watchMemory({
    environments: () => functions.all.flatMap(({ pool }) => pool.environments),
    onError,
  });
  const reaper = setInterval(() => {
    for (const { pool } of functions.all) pool.reap(settings.idleMs);
  }, REAP_EVERY_MS);

  return {
    invoke,
    handle: createRestApi({ functions, account, invoke, isBounded, now, onError }),
    status: () => functions.all.flatMap(describeEnvironments),
    queues: () =>
      functions.all.map(({ config, pool }) => ({ functionName: config.name, waiting: pool.queued })),
    close: async () => {
      memoryWatch.stop();
      clearInterval(reaper);
      await Promise.all(functions.all.map(({ pool }) => pool.close()));
      metrics.close();
      rmSync(scratchRoot, { recursive: true, force: true });
    },
  };
};

const createLauncher = (
  config: FunctionConfig,
  scratchRoot: string,
  { directory, onOutput, onOutputEnded }: LambdaOptions,
  onInvoke: NonNullable<LauncherOptions['onInvoke']>,
): Launcher =>
  new Launcher({
    config,
    scratchRoot,
    compileCache: join(directory, 'environments', 'compiled'),
    log: openLogFile(join(directory, 'logs', `${config.name}.log`)),
    onOutput: onOutput ?? (() => undefined),
    onOutputEnded: onOutputEnded ?? (() => undefined),
    onInvoke,
  });

const describeUsage = ({ config, pool }: DeployedFunction): Usage => ({
  functionName: config.name,
  onDemand: pool.onDemandExecutions,
  provisionedBusy: pool.provisioned.busyCount,
  allocated: pool.provisioned.allocated,
  claimed: pool.provisioned.claimed,
});

const describeEnvironments = ({ config, pool }: DeployedFunction): readonly EnvironmentStatus[] =>
  pool.environments.map((environment) => ({
    functionName: config.name,
    version: environment.version,
    pid: environment.pid,
    provisioned: environment.provisioned,
    state: environment.isBusy ? 'busy' : pool.isIdle(environment) ? 'idle' : 'starting',
    invocations: environment.invocations,
    memoryBytes: environment.memoryBytes,
  }));
