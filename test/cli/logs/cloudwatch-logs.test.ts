import { describe, expect, it } from 'vitest';
import { cloudwatchLogs } from '../../../cli/logs/cloudwatch-logs.ts';
import { startFakeCloudWatchLogs } from './fake-cloudwatch-logs.ts';
import { line, logSourceContract, T } from './log-source.contract.ts';

const create = async () => {
  const fake = await startFakeCloudWatchLogs('/aws/lambda/e-');
  const source = cloudwatchLogs({ client: fake.client, functionPrefix: 'e-', now: () => T + 1000 });
  return { fake, source, write: async (event: Parameters<typeof fake.put>[0]) => fake.put(event) };
};

logSourceContract('in CloudWatch', async () => {
  const { fake, source, write } = await create();
  return { source, write, close: fake.close };
});

describe('logs in CloudWatch', () => {
  it('say that lines are missing when there are more than so many pages, and give the last ones', async () => {
    const { fake, source } = await create();
    for (let index = 0; index < 100; index++) fake.put(line('router', T + index, `${index}`));

    const { lines, isCut } = await source.open({ sinceMs: 0, functionName: 'router' }).last(1000);
    const calls = fake.calls();
    await fake.close();

    expect(isCut).toBe(true);
    expect(lines.length).toBeLessThan(100);
    expect(lines.at(-1)).toEqual(line('router', T + 99, '99'));
    expect(calls).toBe(20);
  });

  it('are read no further back than it takes', async () => {
    const { fake, source } = await create();
    for (let index = 0; index < 100; index++) fake.put(line('router', T + index, `${index}`));

    const found = await source.open({ sinceMs: 0, functionName: 'router' }).last(1);
    const calls = fake.calls();
    await fake.close();

    expect(found).toEqual({ lines: [line('router', T + 99, '99')], isCut: false });
    expect(calls).toBe(1);
  });

  it('are refused as AWS refuses them', async () => {
    const source = cloudwatchLogs({
      client: { send: async () => Promise.reject(new Error('AccessDenied')) } as never,
      functionPrefix: 'e-',
      now: () => T,
    });
    await expect(source.open({ sinceMs: 0 }).last(1)).rejects.toThrow('AccessDenied');
  });
});
