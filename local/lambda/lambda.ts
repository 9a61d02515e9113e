import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { FunctionConfig } from './function-config.ts';
import { LambdaError } from './lambda-error.ts';
import { openLogFile } from './log-file.ts';
import { Pool } from './pool.ts';
import { residentBytes, SAMPLE_EVERY_MS } from './resident-memory.ts';
import { createRestApi } from './rest-api.ts';

/** Lambda's bound on a synchronous event and answer. */
export const MAX_PAYLOAD_BYTES = 6_291_556;
const REAP_EVERY_MS = 1000;
const QUEUE_LENGTH = 1000;

export interface LambdaSettings {
  /** `aws`: no queue, and bounds on payloads hold. */
  readonly limits: 'aws' | 'off';
  readonly queueWaitMs: number;
  readonly idleMs: number;
}

export interface InvokeCall {
  readonly functionName: string;
  /** A version or alias; `$LATEST` by default. */
  readonly qualifier?: string;
  /** JSON text. */
  readonly payload: string;
  readonly tail?: boolean;
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
}

export interface LambdaService {
  /** @throws LambdaError when the call is refused before any function runs. */
  invoke(call: InvokeCall): Promise<InvokeResult>;
  /** Lambda's REST API, as far as an SDK needs it to invoke and to look around. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  status(): readonly EnvironmentStatus[];
  close(): Promise<void>;
}

export interface LambdaOptions {
  readonly functions: readonly FunctionConfig[];
  /** Holds `logs/<function>.log`, and `environments/` with every environment's private /tmp. */
  readonly directory: string;
  readonly settings: LambdaSettings;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

/** Lambda on this machine: functions, versions, aliases, and the environments that run them. */
export const createLambda = (options: LambdaOptions): LambdaService => {
  const { functions, directory, settings, now, onError } = options;
  const scratchRoot = join(directory, 'environments');
  rmSync(scratchRoot, { recursive: true, force: true });

  const pools = new Map<string, { readonly config: FunctionConfig; readonly pool: Pool }>();
  for (const config of functions) {
    const log = openLogFile(join(directory, 'logs', `${config.name}.log`));
    const queueLength = settings.limits === 'aws' ? 0 : QUEUE_LENGTH;
    const { queueWaitMs } = settings;
    pools.set(config.name, {
      config,
      pool: new Pool({ config, scratchRoot, log, now, queueLength, queueWaitMs }),
    });
  }

  const find = (functionName: string, qualifier?: string) => {
    const found = pools.get(functionName);
    const version = found && resolveVersion(found.config, qualifier);
    if (found === undefined || version === undefined) {
      const name = qualifier === undefined ? functionName : `${functionName}:${qualifier}`;
      throw new LambdaError('ResourceNotFoundException', 404, `Function not found: ${name}`);
    }
    return { ...found, version };
  };

  const invoke = async ({
    functionName,
    qualifier,
    payload,
    tail = false,
  }: InvokeCall): Promise<InvokeResult> => {
    const { pool, version } = find(functionName, qualifier);
    const requestId = randomUUID();
    const outcome = await pool.run({ version, payload, tail }, requestId);
    const tooLarge = settings.limits === 'aws' && Buffer.byteLength(outcome.payload) > MAX_PAYLOAD_BYTES;
    return {
      payload: tooLarge ? responseTooLarge(outcome.payload) : outcome.payload,
      ...(outcome.ok && !tooLarge ? {} : { functionError: 'Unhandled' as const }),
      executedVersion: version,
      requestId,
      ...(outcome.log === undefined ? {} : { log: outcome.log }),
    };
  };

  const all = [...pools.values()];
  const boundMemory = async (): Promise<void> => {
    const environments = all.flatMap(({ pool }) => [...pool.environments]);
    const sizes = await residentBytes(environments.flatMap(({ pid }) => pid ?? []));
    for (const environment of environments) {
      const usedMb = Math.ceil((sizes.get(environment.pid ?? 0) ?? 0) / 1024 / 1024);
      if (usedMb <= environment.memorySizeMb) continue;
      const { memorySizeMb } = environment;
      environment.kill(
        'Runtime.OutOfMemory',
        `Memory Size: ${memorySizeMb} MB Max Memory Used: ${usedMb} MB`,
      );
    }
  };

  const timers = [
    setInterval(() => {
      boundMemory().catch(onError);
    }, SAMPLE_EVERY_MS),
    setInterval(() => {
      for (const { pool } of all) pool.reap(settings.idleMs);
    }, REAP_EVERY_MS),
  ];

  return {
    invoke,
    handle: createRestApi({ find: (name, qualifier) => find(name, qualifier), invoke, functions, onError }),
    status: () =>
      all.flatMap(({ config, pool }) =>
        [...pool.environments].map((environment) => ({
          functionName: config.name,
          version: environment.version,
          pid: environment.pid,
          state: environment.busy
            ? ('busy' as const)
            : pool.isIdle(environment)
              ? ('idle' as const)
              : ('starting' as const),
        })),
      ),
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(all.map(({ pool }) => pool.close()));
      rmSync(scratchRoot, { recursive: true, force: true });
    },
  };
};

const resolveVersion = (config: FunctionConfig, qualifier = '$LATEST'): string | undefined => {
  const version = config.aliases[qualifier] ?? qualifier;
  return version === '$LATEST' || config.versions.includes(version) ? version : undefined;
};

const responseTooLarge = (payload: string): string =>
  JSON.stringify({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size (${Buffer.byteLength(payload)} bytes) exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`,
  });
