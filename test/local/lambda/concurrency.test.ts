import {
  DeleteFunctionConcurrencyCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, createGates, GATED } from './gated-function.ts';
import { type Harness, type HarnessOptions, startLambda } from './lambda-harness.ts';
import { createCommands, WAIT } from './provisioned-commands.ts';

let harness: Harness;
afterEach(() => harness.close());

const start = async (settings: HarnessOptions['settings'] = {}, now?: () => number) => {
  const source = { source: GATED, maxEnvironments: 10 };
  const functions = { f: source, g: source };
  harness = await startLambda({ functions, settings, ...(now && { now }) });
  return createGates(harness);
};

const reserve = (count: number, FunctionName = 'f') =>
  harness.client.send(
    new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: count }),
  );
const getReserved = (FunctionName = 'f') =>
  harness.client.send(new GetFunctionConcurrencyCommand({ FunctionName }));
const getLimit = async () => (await harness.client.send(new GetAccountSettingsCommand())).AccountLimit;
const { putReady } = createCommands(() => harness);

/** Calls that stay in their functions until `hold` is put. */
const hold = async (calls: number, FunctionName = 'f') => {
  const gates = createGates(harness, FunctionName);
  const before = busy();
  const held = Array.from({ length: calls }, () =>
    call(harness, { gate: gates.path('hold') }, { FunctionName, Qualifier: '1' }),
  );
  await vi.waitFor(() => expect(busy()).toBe(before + calls), WAIT);
  return async () => {
    gates.put('hold');
    await Promise.all(held);
    gates.remove('hold');
  };
};
const busy = () => harness.lambda.status().filter(({ state }) => state === 'busy').length;

const throttledBy = (Reason: string) => ({
  name: 'TooManyRequestsException',
  Reason,
  retryAfterSeconds: '1',
  $metadata: { httpStatusCode: 429 },
});
const RESERVED = throttledBy('ReservedFunctionConcurrentInvocationLimitExceeded');
const ACCOUNT = throttledBy('ConcurrentInvocationLimitExceeded');

describe('reserved concurrency', () => {
  it('is put, told and deleted', async () => {
    await start();

    const put = await reserve(5);
    const got = await getReserved();
    const described = await harness.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
    await harness.client.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'f' }));
    const deleted = await getReserved();

    expect([put, got, described.Concurrency]).toMatchObject(
      Array.from({ length: 3 }, () => ({ ReservedConcurrentExecutions: 5 })),
    );
    expect(deleted.ReservedConcurrentExecutions).toBeUndefined();
  });

  it.each([
    ['less than none', -1, /whole number/],
    ['more than leaves 100 to others', 901, /of 901 .* to 99, below .*100/],
  ])('is refused for %s', async (_, count, message) => {
    await start();

    await expect(reserve(count)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringMatching(message),
    });
  });

  it('is refused for less than is provisioned, unless it is 0', async () => {
    await start();
    await putReady(2);

    await expect(reserve(1)).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(reserve(0)).resolves.toMatchObject({ ReservedConcurrentExecutions: 0 });
  });

  it('bounds what the function may have provisioned', async () => {
    await start();
    await reserve(2);

    await expect(putReady(3)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: expect.stringMatching(/of 3 .* of 2/),
    });
    await putReady(2);
  });

  it.each(['aws', 'off'] as const)('bounds the calls that run at once, with limits %s', async (limits) => {
    await start({ limits });
    await reserve(2);
    const release = await hold(2);

    await expect(call(harness)).rejects.toMatchObject(RESERVED);

    await release();
    await call(harness);
  });

  it('contains what is provisioned, used or not', async () => {
    await start();
    await reserve(2);
    await putReady(1);
    const other = { FunctionName: 'f' };
    const held = call(harness, { gate: createGates(harness).path('hold') }, other);
    await vi.waitFor(() => expect(busy()).toBe(1), WAIT);

    await expect(call(harness, {}, other)).rejects.toMatchObject(RESERVED);

    expect((await call(harness)).type).toBe('provisioned-concurrency');
    createGates(harness).put('hold');
    await held;
  });

  it('of 0 stops every call, those to provisioned environments as well', async () => {
    await start();
    await putReady(1);
    await reserve(0);

    await expect(call(harness)).rejects.toMatchObject(RESERVED);
  });

  it('bounds the rate of calls to ten times as many', async () => {
    let nowMs = 0;
    await start({ limits: 'aws' }, () => nowMs);
    await reserve(1);
    for (let calls = 0; calls < 10; calls++) await call(harness);

    await expect(call(harness)).rejects.toMatchObject(
      throttledBy('ReservedFunctionInvocationRateLimitExceeded'),
    );

    nowMs = 100;
    await call(harness);
  });
});

describe("the account's concurrency", () => {
  it('is told with what is left unreserved', async () => {
    await start({ accountConcurrency: 500 });
    await reserve(50);

    expect(await getLimit()).toMatchObject({
      ConcurrentExecutions: 500,
      UnreservedConcurrentExecutions: 450,
    });
  });

  it('is shared by what is reserved and what is provisioned', async () => {
    await start({ accountConcurrency: 105 });
    await reserve(2, 'g');
    await putReady(2);

    await expect(reserve(4, 'g')).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(putReady(4)).rejects.toMatchObject({ message: expect.stringMatching(/of 4 .* to 99/) });
    await putReady(3);
  });

  it('bounds the calls of all functions at once', async () => {
    await start({ limits: 'aws', accountConcurrency: 2 });
    const releases = [await hold(1, 'f'), await hold(1, 'g')];

    await expect(call(harness)).rejects.toMatchObject(ACCOUNT);

    for (const release of releases) await release();
    await call(harness);
  });

  it('does not bind with limits off', async () => {
    await start({ limits: 'off', accountConcurrency: 1 });
    const release = await hold(1, 'g');

    await call(harness);

    await release();
  });

  it('bounds the rate of calls to ten times as many', async () => {
    await start({ limits: 'aws', accountConcurrency: 1 }, () => 0);
    for (let calls = 0; calls < 10; calls++) {
      await call(harness, {}, { FunctionName: calls % 2 === 0 ? 'f' : 'g' });
    }

    await expect(call(harness)).rejects.toMatchObject(throttledBy('FunctionInvocationRateLimitExceeded'));
  });
});

describe("Lambda's control plane", () => {
  const getAlias = () => harness.client.send(new GetAliasCommand({ FunctionName: 'f', Name: 'live' }));
  const getFunction = () => harness.client.send(new GetFunctionCommand({ FunctionName: 'f' }));
  const repeat = (count: number, run: () => Promise<unknown>) =>
    Promise.all(Array.from({ length: count }, run));

  it('throttles the sixteenth call of a second, whatever it asks', async () => {
    let nowMs = 0;
    await start({ limits: 'aws' }, () => nowMs);
    await repeat(7, getAlias);
    await repeat(8, getLimit);

    await expect(getAlias()).rejects.toMatchObject(throttledBy('CallerRateLimitExceeded'));

    nowMs = 1000;
    await repeat(15, getAlias);
  });

  it('has a bound of its own for GetFunction, and none for Invoke', async () => {
    await start({ limits: 'aws' }, () => 0);
    await repeat(15, getAlias);

    await repeat(100, getFunction);
    await call(harness);

    await expect(getFunction()).rejects.toMatchObject(throttledBy('CallerRateLimitExceeded'));
  });

  it('has no bound with limits off', async () => {
    await start({ limits: 'off' }, () => 0);

    await repeat(30, getAlias);
  });
});
