import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Harness, type HarnessOptions, isAlive, startLambda } from './lambda-harness.ts';

let harness: Harness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

const start = async (
  options: Partial<HarnessOptions> & { maxEnvironments?: number; mostEnvironments?: number } = {},
): Promise<Harness> => {
  const { maxEnvironments = 1, mostEnvironments = maxEnvironments, ...rest } = options;
  harness = await startLambda({
    functions: { f: { source: GATED, maxEnvironments, mostEnvironments } },
    ...rest,
  });
  return harness;
};

/**
 * Is not ready while there is a file `start-gate`, waits for a file `gate-<n>` before it answers, and says who it is
 * and how many events it had at once.
 */
const GATED = `
  import { existsSync } from 'node:fs';
  while (existsSync('start-gate')) await new Promise((resolve) => setTimeout(resolve, 5));
  let running = 0;
  export const handler = async ({ gate, id }) => {
    running++;
    const most = running;
    while (gate && !existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 5));
    running--;
    return { pid: process.pid, most, id };
  };`;

const startGate = (): string => join(harness?.directory ?? '', 'code', 'f', 'start-gate');

const gate = () => {
  const path = `${harness?.directory}/gate-${Math.trunc(performance.now() * 1000)}`;
  return {
    path,
    open: async () => writeFileSync(path, ''),
  };
};

const invoke = async (event: object = {}, qualifier?: string) => {
  if (harness === undefined) throw new Error('not started');
  const call = {
    functionName: 'f',
    payload: JSON.stringify(event),
    ...(qualifier === undefined ? {} : { qualifier }),
  };
  const result = await harness.lambda.invoke(call);
  return { ...result, value: JSON.parse(result.payload) };
};

const states = (): readonly string[] => harness?.lambda.status().map(({ state }) => state) ?? [];

describe('the environments of a function', () => {
  it('take one event at a time', async () => {
    await start();

    const results = await Promise.all([invoke(), invoke(), invoke(), invoke()]);

    expect(new Set(results.map(({ value }) => value.pid)).size).toBe(1);
    expect(results.map(({ value }) => value.most)).toEqual([1, 1, 1, 1]);
  });

  it('are as many as calls need, and no more than are allowed', async () => {
    await start({ maxEnvironments: 2 });
    const door = gate();

    const calls = [1, 2, 3, 4, 5].map((id) => invoke({ id, gate: door.path }));
    await vi.waitFor(() => expect(states()).toEqual(['busy', 'busy']));
    await door.open();
    const results = await Promise.all(calls);

    expect(new Set(results.map(({ value }) => value.pid)).size).toBe(2);
  });

  it('are more than usual while calls wait long, and no longer', async () => {
    let aheadMs = 0;
    await start({ mostEnvironments: 3, now: () => Date.now() + aheadMs });
    const door = gate();

    const calls = [1, 2, 3, 4, 5].map((id) => invoke({ id, gate: door.path }));
    await vi.waitFor(() => expect(states()).toEqual(['busy', 'busy', 'busy']), { timeout: 5000 });
    await door.open();
    await Promise.all(calls);
    await Promise.all([invoke(), invoke(), invoke()]);
    expect(states()).toHaveLength(3);

    aheadMs = 10_000;
    await Promise.all([invoke(), invoke(), invoke()]);
    await vi.waitFor(() => expect(states()).toEqual(['idle']));
  });

  it('serve waiting calls in order of arrival', async () => {
    await start();
    const order: number[] = [];

    await Promise.all(
      [1, 2, 3, 4, 5, 6].map((id) => invoke({ id }).then(({ value }) => order.push(value.id))),
    );

    expect(order).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('prefer the oldest, so that the others may be reaped', async () => {
    await start({ maxEnvironments: 2 });
    const door = gate();
    const calls = [invoke({ gate: door.path }), invoke({ gate: door.path })];
    await vi.waitFor(() => expect(states()).toEqual(['busy', 'busy']));
    await door.open();
    await Promise.all(calls);

    const first = await invoke();
    const second = await invoke();

    expect(second.value.pid).toBe(first.value.pid);
  });

  it('answer 429 to a call that has waited long enough', async () => {
    await start({ settings: { queueWaitMs: 200 } });
    const door = gate();
    await invoke();
    const serving = invoke({ gate: door.path });

    await expect(invoke()).rejects.toMatchObject({
      type: 'TooManyRequestsException',
      status: 429,
      reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
      retryAfterSeconds: 1,
    });
    await door.open();
    await serving;
  });

  it('answer 429 at once when as many calls wait as may', async () => {
    await start({ settings: { queueLength: 1 } });
    const door = gate();
    await invoke();
    const serving = [invoke({ gate: door.path }), invoke()];
    expect(harness?.lambda.queues()).toEqual([{ functionName: 'f', waiting: 1 }]);

    await expect(invoke()).rejects.toMatchObject({ type: 'TooManyRequestsException' });
    await door.open();
    await Promise.all(serving);
  });

  it('serve a call with one that becomes free while another is still starting for it', async () => {
    await start({ maxEnvironments: 2 });
    const door = gate();
    const { value: first } = await invoke();
    const served = invoke({ gate: door.path });
    writeFileSync(startGate(), '');

    const waiting = invoke();
    await vi.waitFor(() => expect(states()).toEqual(['busy', 'starting']));
    await door.open();

    expect((await waiting).value.pid).toBe(first.pid);
    expect(states()).toEqual(['idle', 'starting']);
    await served;
    rmSync(startGate());
    await vi.waitFor(() => expect(states()).toEqual(['idle', 'idle']));
  });

  it('start for a version that is called while one starts for another', async () => {
    await start({ maxEnvironments: 3 });
    const door = gate();
    await invoke();
    const calls = [invoke({ gate: door.path })];
    writeFileSync(startGate(), '');
    calls.push(invoke());
    await door.open();
    await Promise.all(calls);
    expect(states()).toEqual(['idle', 'starting']);

    const other = invoke({}, '1');

    expect(harness?.lambda.status().map(({ version }) => version)).toEqual(['$LATEST', '$LATEST', '1']);
    rmSync(startGate());
    expect((await other).executedVersion).toBe('1');
  });

  it('tell how many events they served and what they hold', async () => {
    await start();
    await invoke();
    await invoke();

    await vi.waitFor(
      () => expect(harness?.lambda.status()[0]?.memoryBytes).toBeGreaterThan(20_000_000),
      3000,
    );
    expect(harness?.lambda.status()).toMatchObject([
      { functionName: 'f', version: '$LATEST', invocations: 2 },
    ]);
  });

  it("answer 429 at once under AWS's limits, which know no queue", async () => {
    await start({ settings: { limits: 'aws' } });
    const door = gate();
    const serving = invoke({ gate: door.path });

    await expect(invoke()).rejects.toMatchObject({ type: 'TooManyRequestsException' });
    await door.open();
    await serving;
  });

  it('are replaced when killed while idle, without a failed call', async () => {
    await start();
    const { value: before } = await invoke();

    process.kill(before.pid, 'SIGKILL');
    // This thread is held while the process ends, so that the call comes before its end has been noticed.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);

    expect((await invoke()).value.pid).not.toBe(before.pid);
  });

  it('when one is killed while calls wait, cost only the call that it served', async () => {
    await start();
    const door = gate();
    const { value } = await invoke();
    const served = invoke({ gate: door.path });
    const waiting = [invoke({ id: 1 }), invoke({ id: 2 })];

    process.kill(value.pid, 'SIGKILL');

    expect((await served).value.errorType).toBe('Runtime.ExitError');
    expect((await Promise.all(waiting)).map((result) => result.value.id)).toEqual([1, 2]);
  });

  it('end when they have been idle for long enough', async () => {
    let nowMs = 0;
    await start({ settings: { idleMs: 600_000 }, now: () => nowMs });
    const { value } = await invoke();

    nowMs = 600_001;

    await vi.waitFor(() => expect(isAlive(value.pid)).toBe(false), { timeout: 5000 });
    expect(states()).toEqual([]);
  });

  it('run the version that was asked for, within one bound for all versions', async () => {
    await start();

    const latest = await invoke();
    const version = await invoke({}, '1');
    const alias = await invoke({}, 'live');

    expect([latest, version, alias].map(({ executedVersion }) => executedVersion)).toEqual([
      '$LATEST',
      '1',
      '1',
    ]);
    expect(alias.value.pid).toBe(version.value.pid);
    expect(version.value.pid).not.toBe(latest.value.pid);
    expect(states()).toEqual(['idle']);
  });

  it('refuse calls that wait when the service closes', async () => {
    await start();
    const door = gate();
    await invoke();
    const served = invoke({ gate: door.path });
    const waiting = invoke();
    const refused = expect(waiting).rejects.toThrow('shutting down');

    await harness?.lambda.close();

    await refused;
    await served;
  });
});
