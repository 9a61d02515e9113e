import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { cloudwatchMetrics } from '../../lib/aws/cloudwatch-metrics.ts';
import { createCloudWatch } from '../../local/services/cloudwatch/cloudwatch.ts';
import { lateMetrics } from '../fakes/late-metrics.ts';
import { metricReaderContract, T0 } from './metric-reader.contract.ts';

metricReaderContract('in memory', async () => {
  let nowMs = T0;
  const metrics = lateMetrics(() => nowMs);
  return {
    metrics,
    put: (name, dimensions, atMs, values) => {
      nowMs = atMs;
      for (const value of values) {
        metrics.add(name, dimensions, value);
        metrics.add(name, dimensions, 1, 'SampleCount');
        metrics.add(name, dimensions, value, 'Maximum');
      }
      nowMs = T0 + 3_600_000;
    },
    close: async () => undefined,
  };
});

metricReaderContract('CloudWatch', async () => {
  const now = () => T0 + 600_000;
  const service = createCloudWatch({
    now,
    random: () => 0.5,
    settling: { minMs: 0, maxMs: 0, correctedShare: 0, correctedAfterMs: 0 },
    onError: (error) => {
      throw error;
    },
  });
  const server = createServer(service.handle);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new CloudWatchClient({ endpoint, maxAttempts: 1 });
  return {
    metrics: cloudwatchMetrics(client),
    put: (name, dimensions, timestampMs, values) =>
      service.record({ namespace: 'mme', name, dimensions, timestampMs, values }),
    close: async () => {
      client.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
});
