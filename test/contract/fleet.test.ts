import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { vi } from 'vitest';
import { lambdaFleet } from '../../lib/aws/lambda-fleet.ts';
import { memoryFleet } from '../fakes/memory-fleet.ts';
import { startLambda } from '../local/lambda/lambda-harness.ts';
import { fleetContract } from './fleet.contract.ts';

fleetContract('in memory', async () => {
  let nowMs = 0;
  const fleet = memoryFleet({ now: () => nowMs, delayMs: 1000 });
  fleet.live.set('f', '1');
  return {
    fleet,
    functionName: 'f',
    limit: 1000,
    ready: async () => {
      nowMs += 1000;
      fleet.advance();
    },
    block: async () => {
      fleet.isBusy = true;
    },
    close: async () => undefined,
  };
});

fleetContract('Lambda', async () => {
  let isFrozen = false;
  const frozenMs = Date.now();
  const harness = await startLambda({
    functions: {
      f: {
        source: 'export const handler = async () => 1;',
        versions: ['1', '2'],
        aliases: { live: '1' },
      },
    },
    settings: { limits: 'aws', allocationDelayMs: 100 },
    now: () => (isFrozen ? frozenMs + 3_600_000 : Date.now()),
  });
  const fleet = lambdaFleet(harness.client);
  return {
    fleet,
    functionName: 'f',
    limit: 1000,
    ready: () =>
      vi.waitFor(
        async () => {
          const allocations = await fleet.list('f');
          if (allocations.some(({ status }) => status !== 'READY')) throw new Error('not yet');
        },
        { timeout: 10_000, interval: 100 },
      ),
    block: async () => {
      isFrozen = true;
      for (let call = 0; call < 15; call++) await harness.client.send(new GetAccountSettingsCommand({}));
    },
    close: () => harness.close(),
  };
});
