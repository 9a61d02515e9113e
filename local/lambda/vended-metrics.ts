import type { Clock } from '../../lib/clock.ts';
import type { RecordMetric } from '../services/cloudwatch/metric-datum.ts';
import { createCallTally, type TalliedCalls } from './call-tally.ts';
import { createZeroFilter } from './gauges.ts';
import type { CalledFunction, FinishedCall } from './invoke.ts';
import { createMetricBatch, type Dimensions, type Measure, type MetricBatch } from './metric-batch.ts';

const FLUSH_EVERY_MS = 1000;

export interface VendedMetricsOptions {
  /** Without it nothing is gathered. */
  readonly record: RecordMetric | undefined;
  readonly now: Clock;
  readonly readGauges: () => readonly Measure[];
}

export interface VendedMetrics {
  readonly onFinished: (call: FinishedCall) => void;
  readonly onThrottled: (call: CalledFunction) => void;
  /** Hands over what is left. */
  close(): void;
}

/** What Lambda tells CloudWatch of itself (namespace AWS/Lambda), once a second. */
export const createVendedMetrics = ({ record, now, readGauges }: VendedMetricsOptions): VendedMetrics => {
  if (record === undefined) return { onFinished: ignore, onThrottled: ignore, close: ignore };
  const batch = createMetricBatch(record);
  const tally = createCallTally();
  const withoutZeros = createZeroFilter();

  const flush = (): void => {
    for (const calls of tally.take()) addCalls(batch, calls);
    for (const gauge of withoutZeros(readGauges())) batch.add(gauge, now());
    batch.flush();
  };
  const timer = setInterval(flush, FLUSH_EVERY_MS);

  return {
    onFinished: (call) => tally.add(call, now()),
    onThrottled: (call) => {
      for (const dimensions of asCalled(call)) batch.add(one('Throttles', dimensions), now());
    },
    close: () => {
      clearInterval(timer);
      flush();
    },
  };
};

const ignore = (): void => undefined;

const addCalls = (batch: MetricBatch, calls: TalliedCalls): void => {
  const { failed, succeeded, durations, timestampMs } = calls;
  const count = failed + succeeded;
  for (const dimensions of asCalled(calls)) {
    batch.add(one('Invocations', dimensions), timestampMs, count);
    for (const [hundredths, times] of durations) {
      const value = hundredths / 100;
      batch.add({ name: 'Duration', unit: 'Milliseconds', dimensions, value }, timestampMs, times);
    }
    const errors = { ...one('Errors', dimensions), value: 0 };
    if (succeeded > 0) batch.add(errors, timestampMs, succeeded);
    if (failed > 0) batch.add({ ...errors, value: 1 }, timestampMs, failed);
  }
  for (const measure of measureProvisioned(calls)) batch.add(measure, timestampMs, count);
};

const measureProvisioned = (calls: TalliedCalls): readonly Measure[] => {
  if (calls.byProvisioned === undefined) return [];
  const { functionName, qualifier, version } = calls;
  const name = `ProvisionedConcurrency${calls.byProvisioned ? '' : 'Spillover'}Invocations`;
  const resources = new Set([version, qualifier ?? version]);
  return [
    one(name, { FunctionName: functionName }),
    ...[...resources].map((each) => one(name, resource(functionName, each))),
  ];
};

const asCalled = ({ functionName, qualifier }: CalledFunction): readonly Dimensions[] => [
  { FunctionName: functionName },
  resource(functionName, qualifier),
];

const resource = (functionName: string, qualifier: string | undefined): Dimensions => ({
  FunctionName: functionName,
  Resource: qualifier === undefined ? functionName : `${functionName}:${qualifier}`,
});

const one = (name: string, dimensions: Dimensions): Measure => ({
  name,
  unit: 'Count',
  dimensions,
  value: 1,
});
