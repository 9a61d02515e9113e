import { PutProvisionedConcurrencyConfigCommand } from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, createGates, GATED } from './gated-function.ts';
import { type Harness, isAlive, startLambda } from './lambda-harness.ts';
import { createCommands, WAIT } from './provisioned-commands.ts';

let harness: Harness;
afterEach(() => harness.close());

const start = async () => {
  const aliases = { live: '1', next: '2', same: '1', newest: '$LATEST' };
  harness = await startLambda({ functions: { f: { source: GATED, versions: ['1', '2'], aliases } } });
  return createGates(harness);
};

const { put, get, list, remove, reaches, putReady, pointAlias } = createCommands(() => harness);

describe('provisioned concurrency, asked for by an unchanged SDK', () => {
  it('is in progress, then ready, and says how much there is', async () => {
    const gates = await start();
    gates.put('start-gate-1');

    const asked = await put(2);
    const before = await get();
    gates.remove('start-gate-1');
    await reaches('READY');

    expect(asked).toMatchObject({
      $metadata: { httpStatusCode: 202 },
      RequestedProvisionedConcurrentExecutions: 2,
      AllocatedProvisionedConcurrentExecutions: 0,
      AvailableProvisionedConcurrentExecutions: 0,
      Status: 'IN_PROGRESS',
      LastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/),
    });
    expect(before).toMatchObject({ Status: 'IN_PROGRESS' });
    expect(await get()).toMatchObject({
      RequestedProvisionedConcurrentExecutions: 2,
      AllocatedProvisionedConcurrentExecutions: 2,
      AvailableProvisionedConcurrentExecutions: 2,
    });
  });

  it('is gone when deleted, and may be deleted again', async () => {
    await start();
    await putReady(1);
    const { pid } = await call(harness);

    await remove();
    await remove();

    await expect(get()).rejects.toMatchObject({
      name: 'ProvisionedConcurrencyConfigNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), WAIT);
  });

  it('is listed in order, in pages', async () => {
    await start();
    await put(1, 'next');
    await put(1, '1');

    const whole = await list();
    const first = await list({ MaxItems: 1 });
    const second = await list({ MaxItems: 1, ...(first.NextMarker && { Marker: first.NextMarker }) });

    const arns = [whole, first, second].map(({ ProvisionedConcurrencyConfigs: configs }) =>
      configs?.map(({ FunctionArn }) => FunctionArn?.split(':').at(-1)),
    );
    expect(arns).toEqual([['1', 'next'], ['1'], ['next']]);
    expect(whole.ProvisionedConcurrencyConfigs?.[0]).toMatchObject({
      FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f:1',
      RequestedProvisionedConcurrentExecutions: 1,
    });
    expect(whole.NextMarker).toBeUndefined();
    expect(second.NextMarker).toBeUndefined();
    await expect(list({ MaxItems: 51 })).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });

  it.each([
    ['$LATEST', 1, '$LATEST', 'InvalidParameterValueException', /unpublished/],
    ['an alias of $LATEST', 1, 'newest', 'InvalidParameterValueException', /unpublished/],
    ['none', 0, '1', 'InvalidParameterValueException', /at least 1, but is 0/],
    ['half of one', 1.5, '1', 'InvalidParameterValueException', /whole number/],
    ['more than the account has', 901, '1', 'InvalidParameterValueException', /of 901 .* to 99, below .*100/],
    ['an unknown version', 1, '7', 'ResourceNotFoundException', /f:7/],
  ])('is refused for %s', async (_, count, qualifier, name, message) => {
    await start();

    await expect(put(count, qualifier)).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
    });
  });

  it('is refused without a qualifier', async () => {
    await start();
    const input = { FunctionName: 'f', ProvisionedConcurrentExecutions: 1, Qualifier: undefined };

    const asked = harness.client.send(new PutProvisionedConcurrencyConfigCommand(input));

    await expect(asked).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });

  it('is refused for an unknown function', async () => {
    await start();

    await expect(put(1, '1', 'none')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it.each([
    ['an alias of a version that has some', '1', 'live'],
    ['a version of which an alias has some', 'live', '1'],
    ['a second alias of the same version', 'live', 'same'],
  ])('is refused for %s', async (_, first, second) => {
    await start();
    await put(1, first);

    await expect(put(1, second)).rejects.toMatchObject({
      name: 'ResourceConflictException',
      $metadata: { httpStatusCode: 409 },
    });
  });

  it.each([
    ['a version that has its own', 'live', '2', 'ResourceConflictException'],
    ['$LATEST', 'live', '$LATEST', 'InvalidParameterValueException'],
    ['an unknown version', 'live', '7', 'ResourceNotFoundException'],
    ['2, being unknown itself', 'none', '2', 'ResourceNotFoundException'],
  ])('keeps its alias from moving to %s', async (_, alias, version, name) => {
    await start();
    await put(1, 'live');
    await put(1, '2');

    await expect(pointAlias(alias, version)).rejects.toMatchObject({ name });
  });
});
