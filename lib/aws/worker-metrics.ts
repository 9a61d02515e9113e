import { Metrics as EmfMetrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { ModelShare } from '../metrics/model-shares.ts';
import { emfMetrics } from './emf-metrics.ts';

export interface WorkerMetricsOptions {
  readonly metricsNamespace: string;
  readonly endpointName: string;
  readonly group: string;
  readonly now: Clock;
  readonly flushEveryMs: number;
  readonly usage: () => {
    readonly models: number;
    readonly memoryBytes: number;
    readonly maxMemoryBytes: number;
  };
}

/** What the scaler subtracts from a group's busy time, and the sign of thrash: also with the dimension Group. */
const ALSO_PER_GROUP: ReadonlySet<string> = new Set(['ModelLoadingWaitTime', 'ModelReloads']);

/** What calls wait for on an environment that was not started ahead: SageMaker has no such metric. */
const ONLY_PER_GROUP: ReadonlySet<string> = new Set(['OnDemandStartTime']);

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
    flushEveryMs,
    usage,
  } = options;
  const shared = { namespace, flushEveryMs, now };
  const all = emfMetrics({
    ...shared,
    dimensions: { EndpointName, VariantName: 'AllTraffic' },
    gauges: () => ({ LoadedModelCount: usage().models }),
  });
  const some = emfMetrics({
    ...shared,
    dimensions: { EndpointName, Group },
    gauges: () => ({ ModelMemoryUtilization: percent(usage()) }),
  });
  const to = (name: string): readonly Metrics[] => {
    if (ONLY_PER_GROUP.has(name)) return [some];
    return ALSO_PER_GROUP.has(name) ? [all, some] : [all];
  };

  return {
    count(name, n) {
      for (const metrics of to(name)) metrics.count(name, n);
    },
    sample(name, value) {
      for (const metrics of to(name)) metrics.sample(name, value);
    },
    timeMicros(name, micros) {
      for (const metrics of to(name)) metrics.timeMicros(name, micros);
    },
    flushIfDue() {
      all.flushIfDue();
      some.flushIfDue();
    },
  };
};

/** Rarely more than a few digits are worth a log line's bytes. */
const percent = ({ memoryBytes, maxMemoryBytes }: ReturnType<WorkerMetricsOptions['usage']>): number =>
  Math.round((1000 * memoryBytes) / maxMemoryBytes) / 10;

/** A model's own metrics, of one worker and window: only for the few that have a real share (see `ModelShares`). */
export const shareMetrics =
  ({ metricsNamespace, endpointName }: Pick<WorkerMetricsOptions, 'metricsNamespace' | 'endpointName'>) =>
  ({ model, calls, busyMs }: ModelShare, atMs: number): void => {
    const emf = new EmfMetrics({ namespace: metricsNamespace });
    emf.clearDefaultDimensions();
    emf.setDefaultDimensions({ EndpointName: endpointName, Model: model });
    emf.setTimestamp(atMs);
    emf.addMetric('ModelInvocations', MetricUnit.Count, calls);
    emf.addMetric('ModelBusySeconds', MetricUnit.Seconds, Math.round(busyMs) / 1000);
    emf.publishStoredMetrics();
  };
