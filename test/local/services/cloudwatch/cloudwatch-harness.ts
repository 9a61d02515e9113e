import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import {
  type CloudWatchService,
  createCloudWatch,
} from '../../../../local/services/cloudwatch/cloudwatch.ts';
import { MetricStore } from '../../../../local/services/cloudwatch/metric-store.ts';
import type { Settling } from '../../../../local/services/cloudwatch/settling.ts';

/** A whole minute. */
export const T0 = Date.UTC(2026, 0, 1);
export const MINUTE = 60_000;
export const AT_ONCE: Settling = { minMs: 0, maxMs: 0, correctedShare: 0, correctedAfterMs: 0 };

export interface CloudWatchHarness {
  readonly service: CloudWatchService;
  readonly client: CloudWatchClient;
  readonly url: string;
  readonly errors: unknown[];
  nowMs: number;
  close(): Promise<void>;
}

export const startCloudWatch = async (settling: Settling = AT_ONCE): Promise<CloudWatchHarness> => {
  const errors: unknown[] = [];
  const clock = { nowMs: T0 };
  const service = createCloudWatch({
    now: () => clock.nowMs,
    random: () => 0.5,
    settling,
    onError: (error) => errors.push(error),
  });
  const server = createServer(service.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new CloudWatchClient({ endpoint: url, region: 'us-east-1', maxAttempts: 1 });
  const close = async (): Promise<void> => {
    client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return Object.assign(clock, { service, client, url, errors, close });
};

/** A store with a clock to set. */
export const createStore = (options: { maxSeries?: number } = {}) => {
  const clock = { nowMs: T0 };
  const errors: unknown[] = [];
  const store = new MetricStore({
    ...options,
    now: () => clock.nowMs,
    onError: (error) => errors.push(error),
  });
  return { store, clock, errors };
};

export const datum = (
  overrides: Partial<Parameters<MetricStore['record']>[0]> = {},
): Parameters<MetricStore['record']>[0] => ({
  namespace: 'ns',
  name: 'm',
  dimensions: {},
  timestampMs: T0,
  values: [1],
  ...overrides,
});
