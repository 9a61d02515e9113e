import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import type { FunctionConfig } from '../../../local/lambda/function-config.ts';
import {
  createLambda,
  type LambdaOptions,
  type LambdaService,
  type LambdaSettings,
} from '../../../local/lambda/lambda.ts';

export interface Harness {
  readonly lambda: LambdaService;
  readonly directory: string;
  /** An unchanged SDK client that reaches the same functions over HTTP. */
  readonly client: LambdaClient;
  readonly errors: readonly unknown[];
  close(): Promise<void>;
}

export interface HarnessOptions extends Pick<LambdaOptions, 'record' | 'onOutput' | 'onOutputEnded'> {
  /** Function name -> source of its handler, `handler.mjs` unless a name is given. */
  readonly functions: Readonly<
    Record<string, { readonly source: string; readonly file?: string } & Partial<FunctionConfig>>
  >;
  readonly settings?: Partial<LambdaSettings>;
  readonly now?: () => number;
  /** Functions are told where the service is. */
  readonly isReachable?: boolean;
}

/** Functions from source text, run by the local Lambda in a temporary folder. */
export const startLambda = async ({
  functions,
  settings,
  now = Date.now,
  isReachable = false,
  ...sinks
}: HarnessOptions): Promise<Harness> => {
  const directory = mkdtempSync(join(tmpdir(), 'lambda-'));
  const errors: unknown[] = [];
  const server = createServer((request, response) => lambda.handle(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const configs = Object.entries(functions).map(([name, { source, file = 'handler.mjs', ...overrides }]) => {
    const path = join(directory, 'code', name, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, source);
    const environment = { ...(isReachable ? { AWS_ENDPOINT_URL: endpoint } : {}), ...overrides.environment };
    return functionConfig({ name, codeDirectory: join(directory, 'code', name), ...overrides, environment });
  });
  const lambda = createLambda({
    functions: configs,
    directory,
    settings: { limits: 'off', queueWaitMs: 10_000, idleMs: 600_000, ...settings },
    now,
    ...sinks,
    onError: (error) => errors.push(error),
  });

  const client = new LambdaClient({ endpoint, maxAttempts: 1 });

  return {
    lambda,
    directory,
    client,
    errors,
    close: async () => {
      client.destroy();
      server.closeAllConnections();
      server.close();
      await lambda.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

export const functionConfig = (overrides: Partial<FunctionConfig>): FunctionConfig => ({
  name: 'f',
  handler: 'handler.handler',
  codeDirectory: '/',
  nodePath: [],
  memorySizeMb: 512,
  timeoutSeconds: 30,
  ephemeralStorageMb: 512,
  environment: {},
  region: 'us-east-1',
  versions: ['1'],
  aliases: { live: '1' },
  maxEnvironments: 1,
  ...overrides,
});

export const isAlive = (pid: number | undefined): boolean => {
  try {
    process.kill(pid ?? Number.NaN, 0);
    return true;
  } catch {
    return false;
  }
};
