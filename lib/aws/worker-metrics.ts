import type { Clock } from '../clock.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { emfMetrics } from './emf-metrics.ts';

export interface WorkerMetricsOptions {
  readonly metricsNamespace: string;
  readonly endpointName: string;
  readonly group: string;
  readonly now: Clock;
  readonly loadedModels: () => number;
}

const FLUSH_EVERY_MS = 10_000;

/** What the scaler subtracts from a group's busy time, and the sign of thrash: also with the dimension Group. */
const PER_GROUP: ReadonlySet<string> = new Set(['ModelDownloadingTime', 'ModelLoadingTime', 'ModelReloads']);

/**
 * A worker's metrics twice: all of them with SageMaker's dimensions, and those few per group that somebody reads. Every set
 * of dimensions is billed as metrics of its own, so not all.
 */
export const workerMetrics = (options: WorkerMetricsOptions): Metrics => {
  const {
    metricsNamespace: namespace,
    endpointName: EndpointName,
    group: Group,
    now,
    loadedModels,
  } = options;
  const shared = { namespace, flushEveryMs: FLUSH_EVERY_MS, now };
  const all = emfMetrics({
    ...shared,
    dimensions: { EndpointName, VariantName: 'AllTraffic' },
    gauges: () => ({ LoadedModelCount: loadedModels() }),
  });
  const some = emfMetrics({ ...shared, dimensions: { EndpointName, Group } });

  return {
    count(name, n) {
      all.count(name, n);
      if (PER_GROUP.has(name)) some.count(name, n);
    },
    sample(name, value) {
      all.sample(name, value);
      if (PER_GROUP.has(name)) some.sample(name, value);
    },
    timeMicros(name, micros) {
      all.timeMicros(name, micros);
      if (PER_GROUP.has(name)) some.timeMicros(name, micros);
    },
    flushIfDue() {
      all.flushIfDue();
      some.flushIfDue();
    },
  };
};
