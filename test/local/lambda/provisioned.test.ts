import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, createGates, GATED } from './gated-function.ts';
import { type Harness, type HarnessOptions, isAlive, startLambda } from './lambda-harness.ts';
import { createCommands, WAIT } from './provisioned-commands.ts';

let harness: Harness;
afterEach(() => harness.close());

const start = async (options: Partial<HarnessOptions> = {}) => {
  const f = { source: GATED, maxEnvironments: 2, versions: ['1', '2'] };
  harness = await startLambda({ functions: { f }, ...options });
  return createGates(harness);
};

const { put, get, remove, reaches, putReady, pointAlias, provisioned, states } = createCommands(
  () => harness,
);

describe('provisioned environments', () => {
  it('are started with a name for it, and serve before those on demand', async () => {
    await start();
    await putReady(1);

    const byVersion = await call(harness);
    const byAlias = await call(harness, {}, { Qualifier: 'live' });
    const byOther = await call(harness, {}, { Qualifier: '2' });

    expect([byVersion, byAlias, byOther].map(({ type }) => type)).toEqual([
      'provisioned-concurrency',
      'provisioned-concurrency',
      'on-demand',
    ]);
  });

  it('of an increase are not usable until all of them are', async () => {
    const gates = await start();
    await putReady(1);
    const { number: first } = await call(harness);
    gates.put('start-gate-3');

    await put(3);
    await vi.waitFor(() => expect(gates.has('ready-2')).toBe(true), WAIT);
    expect(states()).toEqual(['idle', 'starting', 'starting']);
    const hold = gates.path('hold');
    const held = call(harness, { gate: hold });
    await vi.waitFor(() => expect(states()).toEqual(['busy', 'starting', 'starting']));
    const meanwhile = await call(harness);

    expect(await get()).toMatchObject({ Status: 'IN_PROGRESS', AvailableProvisionedConcurrentExecutions: 1 });
    expect(meanwhile.type).toBe('on-demand');
    gates.remove('start-gate-3');
    await reaches('READY');
    expect((await call(harness)).type).toBe('provisioned-concurrency');
    gates.put('hold');
    expect((await held).number).toBe(first);
  });

  it('of an increase are replaced when killed before all of them are usable', async () => {
    const gates = await start();
    gates.put('start-gate-2');
    await put(2);
    await vi.waitFor(() => expect(gates.has('ready-1')).toBe(true), WAIT);
    await vi.waitFor(() => expect(gates.has('started-2')).toBe(true), WAIT);

    const before = provisioned().map(({ pid }) => pid);
    process.kill(Number(gates.read('ready-1')), 'SIGKILL');
    await vi.waitFor(() => expect(gates.has('ready-3')).toBe(true), WAIT);
    gates.remove('start-gate-2');
    await reaches('READY');

    expect(await get()).toMatchObject({ AvailableProvisionedConcurrentExecutions: 2 });
    expect(provisioned().filter(({ pid }) => before.includes(pid))).toHaveLength(1);
  });

  it('start after a delay, where one is set', async () => {
    await start({ settings: { allocationDelayMs: 100 } });

    await put(1);

    expect(provisioned()).toEqual([]);
    await reaches('READY');
    expect(states()).toEqual(['idle']);
  });

  it('leave FAILED with the reason when one fails to start, and the earlier ones serving', async () => {
    const gates = await start();
    await putReady(1);
    const { pid } = await call(harness);
    gates.put('start-fails');

    await put(3);
    await reaches('FAILED');

    expect(await get()).toMatchObject({
      RequestedProvisionedConcurrentExecutions: 3,
      AllocatedProvisionedConcurrentExecutions: 1,
      AvailableProvisionedConcurrentExecutions: 1,
      StatusReason: 'FUNCTION_ERROR_INIT_FAILURE: TypeError: no model',
    });
    expect(states()).toEqual(['idle']);
    expect((await call(harness)).pid).toBe(pid);
  });

  it('that failed to start are tried again when asked for again', async () => {
    const gates = await start();
    gates.put('start-fails');
    await put(1);
    await reaches('FAILED');
    gates.remove('start-fails');

    await putReady(1);

    expect((await get()).StatusReason).toBeUndefined();
    expect((await call(harness)).type).toBe('provisioned-concurrency');
  });

  it('spill over to those on demand when all are busy', async () => {
    const gates = await start();
    await putReady(1);
    const held = call(harness, { gate: gates.path('hold') });
    await vi.waitFor(() => expect(states()).toEqual(['busy']));

    const spilled = await call(harness);

    gates.put('hold');
    expect([(await held).type, spilled.type]).toEqual(['provisioned-concurrency', 'on-demand']);
  });

  it("spill over above ten calls a second for each, under AWS's limits", async () => {
    let nowMs = 0;
    await start({ settings: { limits: 'aws' }, now: () => nowMs });
    await putReady(1);
    const types: string[] = [];

    for (let calls = 0; calls < 11; calls++) types.push((await call(harness)).type);
    nowMs = 100;
    types.push((await call(harness)).type);

    const ten = Array.from({ length: 10 }, () => 'provisioned-concurrency');
    expect(types).toEqual([...ten, 'on-demand', 'provisioned-concurrency']);
  });

  it('take a call that waits when one becomes free', async () => {
    const functions = { f: { source: GATED, maxEnvironments: 1 } };
    const gates = await start({ functions });
    await putReady(1);
    const [first, second] = ['first', 'second'].map((name) => call(harness, { gate: gates.path(name) }));
    await vi.waitFor(() =>
      expect(harness.lambda.status().map(({ state }) => state)).toEqual(['busy', 'busy']),
    );
    const waiting = call(harness);
    await vi.waitFor(() => expect(harness.lambda.queues()).toMatchObject([{ waiting: 1 }]));
    const [busyOnDemand] = harness.lambda.status();

    gates.put('first');

    const served = await waiting;
    expect(served.type).toBe('provisioned-concurrency');
    expect(served.pid).toBe((await first)?.pid);
    expect(busyOnDemand?.provisioned).toBe(false);
    gates.put('second');
    await second;
  });

  it('take calls that wait as soon as an increase is complete', async () => {
    const gates = await start({ functions: { f: { source: GATED, maxEnvironments: 1 } } });
    const held = call(harness, { gate: gates.path('hold') });
    await vi.waitFor(() => expect(harness.lambda.status()).toMatchObject([{ state: 'busy' }]));
    const waiting = call(harness);
    await vi.waitFor(() => expect(harness.lambda.queues()).toMatchObject([{ waiting: 1 }]));

    await put(1);

    expect((await waiting).type).toBe('provisioned-concurrency');
    gates.put('hold');
    await held;
  });

  it('are replaced when killed', async () => {
    await start();
    await putReady(2);
    const { pid } = await call(harness);

    process.kill(pid, 'SIGKILL');

    await vi.waitFor(() => {
      expect(provisioned().map((environment) => environment.pid)).not.toContain(pid);
      expect(states()).toEqual(['idle', 'idle']);
    }, WAIT);
    expect(await get()).toMatchObject({ Status: 'READY', AvailableProvisionedConcurrentExecutions: 2 });
  });

  it('that cannot be replaced leave FAILED with the reason', async () => {
    const gates = await start();
    await putReady(2);
    const { pid } = await call(harness);
    gates.put('start-fails');

    process.kill(pid, 'SIGKILL');

    await reaches('FAILED');
    expect(await get()).toMatchObject({ AllocatedProvisionedConcurrentExecutions: 1 });
  });

  it('end when fewer are asked for: idle ones at once, a busy one when it has answered', async () => {
    const gates = await start();
    await putReady(3);
    const held = call(harness, { gate: gates.path('hold') });
    await vi.waitFor(() => expect(states()).toContain('busy'));

    await put(1);
    expect(states()).toEqual(['busy']);
    await remove();
    expect(states()).toEqual(['busy']);
    gates.put('hold');

    const { pid } = await held;
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), WAIT);
    expect(provisioned()).toEqual([]);
  });

  it.each([
    [1, 1],
    [4, 4],
  ])('are %i when so many are asked for while others start', async (count, expected) => {
    const gates = await start();
    gates.put('start-gate-1');
    await put(2);
    await vi.waitFor(() => expect(states()).toHaveLength(2));

    await put(count);
    gates.remove('start-gate-1');
    await reaches('READY');

    expect(states()).toHaveLength(expected);
  });

  it('are not ended for being idle, and leave room for those on demand', async () => {
    let nowMs = 0;
    await start({ settings: { idleMs: 1000 }, now: () => nowMs });
    await putReady(3);
    const { pid: onDemand } = await call(harness, {}, { Qualifier: '2' });

    nowMs = 1_000_000;

    await vi.waitFor(() => expect(isAlive(onDemand)).toBe(false), WAIT);
    expect(states()).toEqual(['idle', 'idle', 'idle']);
  });

  it('move with their alias to another version', async () => {
    await start();
    await putReady(1, 'live');
    const before = await call(harness, {}, { Qualifier: 'live' });

    const alias = await pointAlias('live', '2');
    await reaches('READY', 'live');
    const after = await call(harness, {}, { Qualifier: 'live' });

    expect(alias).toMatchObject({ Name: 'live', FunctionVersion: '2' });
    expect(after.type).toBe('provisioned-concurrency');
    expect(provisioned()).toMatchObject([{ version: '2', pid: after.pid }]);
    await vi.waitFor(() => expect(isAlive(before.pid)).toBe(false), WAIT);
  });

  it('stay with their version when an alias swaps to it', async () => {
    await start();
    await putReady(1, '2');
    const [{ pid } = { pid: undefined }] = provisioned();

    await pointAlias('live', '2');

    expect((await call(harness, {}, { Qualifier: 'live' })).pid).toBe(pid);
  });

  it('are gone when the service is closed, those that start as well', async () => {
    const gates = await start();
    await putReady(1);
    gates.put('start-gate-2');
    await put(2);
    await vi.waitFor(() => expect(states()).toEqual(['idle', 'starting']));
    const pids = provisioned().map(({ pid }) => pid);

    await harness.lambda.close();

    expect(pids.map(isAlive)).toEqual([false, false]);
  });
});
