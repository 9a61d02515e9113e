import { afterEach, beforeEach, expect, it } from 'vitest';
import { emfMetrics } from '../../../lib/aws/emf-metrics.ts';
import { workerMetrics } from '../../../lib/aws/worker-metrics.ts';

const write = process.stdout.write.bind(process.stdout);
let bytes: number;
beforeEach(() => {
  bytes = 0;
  process.stdout.write = ((text: string) => {
    bytes += Buffer.byteLength(String(text));
    return true;
  }) as typeof process.stdout.write;
});
afterEach(() => {
  process.stdout.write = write;
});

/** CloudWatch Logs bills by the byte: at a record per call it would cost more than the calls. */
const MOST_BYTES_PER_CALL = 100;
const SECONDS = 60;

it.each([5, 20, 200])(
  'a router writes at most 100 bytes of log per call, at %i calls a second',
  (perSecond) => {
    let nowMs = 0;
    const metrics = emfMetrics({
      namespace: 'lambda-mme',
      dimensions: { EndpointName: 'lambda-mme-prod', VariantName: 'AllTraffic' },
      flushEveryMs: 10_000,
      now: () => nowMs,
    });

    for (let call = 0; call < SECONDS * perSecond; call++) {
      nowMs = (1000 * call) / perSecond;
      metrics.flushIfDue();
      metrics.count('Invocations');
      for (const name of ['Invocation4XXErrors', 'Invocation5XXErrors', 'InvocationModelErrors'])
        metrics.sample(name, 0);
      metrics.timeMicros('ModelLatency', 12_345);
      metrics.timeMicros('OverheadLatency', 23_456);
      metrics.count('InvocationsPerInstance', 1 / 3);
    }
    nowMs += 10_000;
    metrics.flushIfDue();

    expect(bytes).toBeGreaterThan(0);
    expect(bytes / (SECONDS * perSecond)).toBeLessThanOrEqual(MOST_BYTES_PER_CALL);
  },
);

it.each([5, 20, 200])(
  'a worker, of which every twentieth call loads a model, at %i calls a second',
  (perSecond) => {
    let nowMs = 0;
    const metrics = workerMetrics({
      metricsNamespace: 'lambda-mme',
      endpointName: 'lambda-mme-prod',
      group: 'cold-00',
      now: () => nowMs,
      flushEveryMs: 10_000,
      usage: () => ({ models: 300, memoryBytes: 81_234_567, maxMemoryBytes: 850_000_000 }),
    });

    for (let call = 0; call < SECONDS * perSecond; call++) {
      nowMs = (1000 * call) / perSecond;
      metrics.flushIfDue();
      metrics.sample('ModelCacheHit', call % 20 === 0 ? 0 : 1);
      if (call % 20 !== 0) continue;
      for (const name of [
        'ModelLoadingWaitTime',
        'ModelDownloadingTime',
        'ModelLoadingTime',
        'ModelUnloadingTime',
      ]) {
        metrics.timeMicros(name, 12_345);
      }
      metrics.timeMicros('OnDemandStartTime', 12_345);
      metrics.count('ModelReloads', 1);
    }
    nowMs += 10_000;
    metrics.flushIfDue();

    expect(bytes).toBeGreaterThan(0);
    expect(bytes / (SECONDS * perSecond)).toBeLessThanOrEqual(MOST_BYTES_PER_CALL);
  },
);
