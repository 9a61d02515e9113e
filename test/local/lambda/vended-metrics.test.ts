import { PutFunctionConcurrencyCommand } from '@aws-sdk/client-lambda';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { MetricDatum } from '../../../local/services/cloudwatch/metric-datum.ts';
import { call, createGates, GATED } from './gated-function.ts';
import { type Harness, startLambda } from './lambda-harness.ts';
import { createCommands, WAIT } from './provisioned-commands.ts';

let harness: Harness;
afterEach(() => harness.close());

const NOW_MS = Date.UTC(2026, 0, 1);

const start = async (source = GATED) => {
  const recorded: MetricDatum[] = [];
  harness = await startLambda({
    functions: { f: { source, maxEnvironments: 3 } },
    record: (datum) => recorded.push(datum),
    now: () => NOW_MS,
  });
  return recorded;
};

const { putReady, remove } = createCommands(() => harness);

/** The values of a metric in order of their data, by the values of its dimensions. */
const valuesOf = (recorded: readonly MetricDatum[], metric: string) => {
  const found: Record<string, number[]> = {};
  for (const { name, dimensions, values, counts = [] } of recorded) {
    if (name !== metric) continue;
    const repeated = values.flatMap((value, index) => Array<number>(counts[index] ?? 1).fill(value));
    const key = Object.values(dimensions).join(' ');
    found[key] = [...(found[key] ?? []), ...repeated];
  }
  return found;
};

describe('what Lambda tells CloudWatch', () => {
  it('is of each call, by function and by the resource as it was called', async () => {
    const recorded = await start();

    await call(harness, {}, {});
    await call(harness, {}, { Qualifier: 'live' });
    await call(harness, {}, { Qualifier: '1' });
    await harness.lambda.close();

    expect(valuesOf(recorded, 'Invocations')).toEqual({
      f: [1, 1, 1],
      'f f': [1],
      'f f:live': [1],
      'f f:1': [1],
    });
    expect(valuesOf(recorded, 'Errors')).toMatchObject({ f: [0, 0, 0], 'f f:live': [0] });
    expect(recorded).toContainEqual({
      namespace: 'AWS/Lambda',
      name: 'Invocations',
      dimensions: { FunctionName: 'f', Resource: 'f:live' },
      unit: 'Count',
      timestampMs: NOW_MS,
      values: [1],
      counts: [1],
    });
  });

  it('is handed over once a second, without waiting for the end', async () => {
    const recorded = await start();

    await call(harness);

    await vi.waitFor(() => expect(valuesOf(recorded, 'Invocations')).toMatchObject({ f: [1] }), WAIT);
  });

  it('has the time that the handler took, without its init phase', async () => {
    const source = `await new Promise((resolve) => setTimeout(resolve, 700));
      export const handler = async () => new Promise((resolve) => setTimeout(resolve, 50));`;
    const recorded = await start(source);

    await call(harness, {}, {});
    await harness.lambda.close();

    const [ms = 0] = valuesOf(recorded, 'Duration')['f'] ?? [];
    expect(ms).toBeGreaterThan(45);
    expect(ms).toBeLessThan(700);
    expect(recorded.find(({ name }) => name === 'Duration')?.unit).toBe('Milliseconds');
  });

  it.each([
    ['throws', 'export const handler = async () => { throw new Error("bad"); }'],
    ['cannot be loaded', 'throw new Error("bad")'],
    ['ends its process', 'export const handler = async () => process.exit(1)'],
  ])('counts an error of a function that %s', async (_, source) => {
    const recorded = await start(source);

    await call(harness, {}, {});
    await harness.lambda.close();

    expect(valuesOf(recorded, 'Errors')).toEqual({ f: [1], 'f f': [1] });
    expect(valuesOf(recorded, 'Invocations')).toEqual({ f: [1], 'f f': [1] });
  });

  it('counts a throttled call, and not as an invocation', async () => {
    const recorded = await start();
    const none = { FunctionName: 'f', ReservedConcurrentExecutions: 0 };
    await harness.client.send(new PutFunctionConcurrencyCommand(none));

    await expect(call(harness, {}, { Qualifier: 'live' })).rejects.toThrow('Rate Exceeded');
    await harness.lambda.close();

    expect(valuesOf(recorded, 'Throttles')).toEqual({ f: [1], 'f f:live': [1] });
    expect(valuesOf(recorded, 'Invocations')).toEqual({});
  });

  it('tells calls that provisioned environments served from those that spilled over', async () => {
    const recorded = await start();
    const gates = createGates(harness);
    await putReady(1);

    const held = call(harness, { gate: gates.path('hold') }, { Qualifier: 'live' });
    await vi.waitFor(() =>
      expect(harness.lambda.status()).toMatchObject([{ provisioned: true, state: 'busy' }]),
    );
    await call(harness, {}, { Qualifier: '1' });
    await call(harness, {}, {});
    gates.put('hold');
    await held;
    await harness.lambda.close();

    expect(valuesOf(recorded, 'ProvisionedConcurrencyInvocations')).toEqual({
      f: [1],
      'f f:1': [1],
      'f f:live': [1],
    });
    expect(valuesOf(recorded, 'ProvisionedConcurrencySpilloverInvocations')).toEqual({
      f: [1],
      'f f:1': [1],
    });
  });

  it('has what runs now, and zero once when nothing does any more', async () => {
    const recorded = await start();
    const gates = createGates(harness);
    await putReady(2);
    const event = { gate: gates.path('hold') };
    const last = (metric: string) =>
      Object.fromEntries(
        Object.entries(valuesOf(recorded, metric)).map(([of, values]) => [of, values.at(-1)]),
      );
    const held = [call(harness, event), call(harness, event, {})];

    await vi.waitFor(() => {
      expect(last('ConcurrentExecutions')).toEqual({ f: 2, '': 2 });
      expect(last('ProvisionedConcurrentExecutions')).toEqual({ 'f f:1': 1 });
      expect(last('ProvisionedConcurrencyUtilization')).toEqual({ 'f f:1': 0.5 });
      expect(last('ClaimedAccountConcurrency')).toEqual({ '': 3 });
    }, WAIT);
    gates.put('hold');
    await Promise.all(held);
    await remove();
    await harness.lambda.close();

    expect(last('ConcurrentExecutions')).toEqual({ f: 0, '': 0 });
    expect(last('ProvisionedConcurrentExecutions')).toEqual({ 'f f:1': 0 });
    expect(last('ProvisionedConcurrencyUtilization')).toEqual({ 'f f:1': 0 });
    expect(last('ClaimedAccountConcurrency')).toEqual({ '': 0 });
  });
});

describe('what environments print', () => {
  it('is handed on as it comes, without what marks the end of a log, until they end', async () => {
    const printed = new Map<string, string>();
    const ended: string[] = [];
    const source = 'export const handler = async () => { console.log("out"); console.error("error"); }';
    harness = await startLambda({
      functions: { f: { source } },
      onOutput: (id, text) => printed.set(id, (printed.get(id) ?? '') + text),
      onOutputEnded: (id) => ended.push(id),
    });

    await harness.lambda.invoke({ functionName: 'f', payload: '{}', tail: true });

    await vi.waitFor(() => expect([...printed.values()]).toEqual(['out\n']));
    await harness.lambda.close();
    await vi.waitFor(() => expect(ended).toEqual([...printed.keys()]));
  });
});
