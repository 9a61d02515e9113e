import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Outcome } from './environment.ts';
import { type FunctionConfig, functionArn, resolveVersion } from './function-config.ts';
import { eventTooLarge, LambdaError, unreadableEvent } from './lambda-error.ts';
import { MAX_EVENT_BYTES, MAX_PAYLOAD_BYTES } from './limits.ts';
import { openLogFile } from './log-file.ts';
import { watchMemory } from './memory-watch.ts';
import { Pool } from './pool.ts';
import { createRestApi } from './rest-api.ts';

const REAP_EVERY_MS = 1000;
const DEFAULT_QUEUE_LENGTH = 1000;

export interface LambdaSettings {
  /** `aws`: no queue, and bounds on payloads hold. */
  readonly limits: 'aws' | 'off';
  readonly queueWaitMs: number;
  /** How many calls may wait, per function; 1000 unless given. */
  readonly queueLength?: number;
  readonly idleMs: number;
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
  /** Lambda's REST API, as far as an SDK needs it to invoke and to look around. */
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
}

/** Lambda on this machine: functions, versions, aliases, and the environments that run them. */
export const createLambda = (options: LambdaOptions): LambdaService => {
  const { functions, directory, settings, now, onError } = options;
  const isBounded = settings.limits === 'aws';
  const scratchRoot = join(directory, 'environments', 'tmp');
  rmSync(scratchRoot, { recursive: true, force: true });

  const openPool = (config: FunctionConfig): Pool =>
    new Pool({
      config,
      scratchRoot,
      compileCache: join(directory, 'environments', 'compiled'),
      log: openLogFile(join(directory, 'logs', `${config.name}.log`)),
      now,
      queueLength: isBounded ? 0 : (settings.queueLength ?? DEFAULT_QUEUE_LENGTH),
      queueWaitMs: settings.queueWaitMs,
    });
  const all = functions.map((config) => ({ config, pool: openPool(config) }));
  const byName = new Map(all.map((each) => [each.config.name, each]));

  const find = (functionName: string, qualifier?: string) => {
    const found = byName.get(functionName);
    const version = found && resolveVersion(found.config, qualifier);
    if (found === undefined || version === undefined) {
      const name = qualifier === undefined ? functionName : `${functionName}:${qualifier}`;
      throw new LambdaError('ResourceNotFoundException', 404, `Function not found: ${name}`);
    }
    return { ...found, version };
  };

  const invoke = async (call: InvokeCall): Promise<InvokeResult> => {
    const { functionName, qualifier, payload, clientContext, tail = false } = call;
    const { config, pool, version } = find(functionName, qualifier);
    if (isBounded && Buffer.byteLength(payload) > MAX_EVENT_BYTES) throw eventTooLarge(MAX_EVENT_BYTES);
    const requestId = randomUUID();
    const arn = functionArn(config, qualifier);
    const outcome = await pool.run({ version, requestId, arn, payload, clientContext, tail });
    if (outcome.kind === 'unreadable') throw unreadableEvent(outcome.payload);
    return { ...toResult(outcome, isBounded), executedVersion: version, requestId };
  };

  const memoryWatch = watchMemory({
    environments: () => all.flatMap(({ pool }) => [...pool.environments]),
    onError,
  });
  const reaper = setInterval(() => {
    for (const { pool } of all) pool.reap(settings.idleMs);
  }, REAP_EVERY_MS);

  return {
    invoke,
    handle: createRestApi({ find, invoke, functions, onError }),
    status: () => all.flatMap(({ config, pool }) => describePool(config, pool)),
    queues: () => all.map(({ config, pool }) => ({ functionName: config.name, waiting: pool.queued })),
    close: async () => {
      memoryWatch.stop();
      clearInterval(reaper);
      await Promise.all(all.map(({ pool }) => pool.close()));
      rmSync(scratchRoot, { recursive: true, force: true });
    },
  };
};

const toResult = (
  { kind, payload, log }: Outcome,
  isBounded: boolean,
): Pick<InvokeResult, 'payload' | 'functionError' | 'log'> => {
  const isTooLarge = isBounded && Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES;
  return {
    payload: isTooLarge ? responseTooLarge(payload) : payload,
    ...(kind === 'answer' && !isTooLarge ? {} : { functionError: 'Unhandled' }),
    ...(log === undefined ? {} : { log }),
  };
};

const responseTooLarge = (payload: string): string =>
  JSON.stringify({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size (${Buffer.byteLength(payload)} bytes) exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`,
  });

const describePool = ({ name }: FunctionConfig, pool: Pool): readonly EnvironmentStatus[] =>
  [...pool.environments].map((environment) => ({
    functionName: name,
    version: environment.version,
    pid: environment.pid,
    state: environment.isBusy ? 'busy' : pool.isIdle(environment) ? 'idle' : 'starting',
    invocations: environment.invocations,
    memoryBytes: environment.memoryBytes,
  }));
