import type { Clock } from '../../lib/clock.ts';
import type { RecordMetric } from '../services/cloudwatch/metric-datum.ts';
import { createZeroFilter } from './gauges.ts';
import type { CalledFunction, FinishedCall } from './invoke.ts';
import { createMetricBatch, type Dimensions, type Measure } from './metric-batch.ts';

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
  const withoutZeros = createZeroFilter();

  const flush = (): void => {
    for (const gauge of withoutZeros(readGauges())) batch.add(gauge, now());
    batch.flush();
  };
  const timer = setInterval(flush, FLUSH_EVERY_MS);

  return {
    onFinished: (call) => {
      for (const measure of measureFinished(call)) batch.add(measure, now());
    },
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

const measureFinished = (call: FinishedCall): readonly Measure[] => [
  ...asCalled(call).flatMap((dimensions) => [
    one('Invocations', dimensions),
    { name: 'Duration', unit: 'Milliseconds', dimensions, value: toHundredths(call.durationMs) },
    { name: 'Errors', unit: 'Count', dimensions, value: call.hasFailed ? 1 : 0 },
  ]),
  ...measureProvisioned(call),
];

/** As Lambda's own reports have it; and values that are alike take one place. */
const toHundredths = (ms: number): number => Math.round(100 * ms) / 100;

const measureProvisioned = (call: FinishedCall): readonly Measure[] => {
  if (call.byProvisioned === undefined) return [];
  const { functionName, qualifier, version } = call;
  const name = `ProvisionedConcurrency${call.byProvisioned ? '' : 'Spillover'}Invocations`;
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
