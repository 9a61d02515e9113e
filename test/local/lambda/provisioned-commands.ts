import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  ListProvisionedConcurrencyConfigsCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import { expect, vi } from 'vitest';
import type { Harness } from './lambda-harness.ts';

/** How long processes may take to start or to end. */
export const WAIT = { timeout: 5000 };

/** Asks for provisioned concurrency by the unchanged SDK, of version 1 of function `f` unless told otherwise. */
export const createCommands = (harness: () => Harness) => {
  const put = (count: number, Qualifier = '1', FunctionName = 'f') =>
    harness().client.send(
      new PutProvisionedConcurrencyConfigCommand({
        FunctionName,
        Qualifier,
        ProvisionedConcurrentExecutions: count,
      }),
    );
  const get = (Qualifier = '1', FunctionName = 'f') =>
    harness().client.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));
  const reaches = (Status: string, ...of: Parameters<typeof get>) =>
    vi.waitFor(async () => expect((await get(...of)).Status).toBe(Status), WAIT);
  const provisioned = () =>
    harness()
      .lambda.status()
      .filter((environment) => environment.provisioned);

  return {
    put,
    get,
    reaches,
    putReady: async (count: number, ...of: Parameters<typeof get>) => {
      await put(count, ...of);
      await reaches('READY', ...of);
    },
    remove: (Qualifier = '1', FunctionName = 'f') =>
      harness().client.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier })),
    list: (input: { MaxItems?: number; Marker?: string } = {}) =>
      harness().client.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'f', ...input })),
    pointAlias: (Name: string, FunctionVersion: string) =>
      harness().client.send(new UpdateAliasCommand({ FunctionName: 'f', Name, FunctionVersion })),
    /** The provisioned environments, usable or not. */
    provisioned,
    states: () => provisioned().map(({ state }) => state),
  };
};
