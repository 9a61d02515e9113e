import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

export interface StoredEvent {
  readonly functionName: string;
  readonly atMs: number;
  readonly text: string;
}

interface Filter {
  readonly logGroupName: string;
  readonly startTime: number;
  readonly startFromHead?: boolean;
  readonly nextToken?: string;
}

export interface FakeCloudWatchLogs {
  readonly client: CloudWatchLogsClient;
  put(event: StoredEvent): void;
  /** How many calls have come. */
  calls(): number;
  close(): Promise<void>;
}

const PAGE = 2;

/**
 * CloudWatch Logs on a loopback address, for the real client: pages of two events, of which every second one is empty, as
 * pages may be; groups a page each.
 */
export const startFakeCloudWatchLogs = async (prefix: string): Promise<FakeCloudWatchLogs> => {
  const events: (StoredEvent & { readonly id: string })[] = [];
  const groups = new Set<string>();
  let calls = 0;

  const answers: Readonly<Record<string, (input: never) => object | undefined>> = {
    DescribeLogGroups: ({ logGroupNamePrefix, nextToken = '0' }: Record<string, string>) => {
      const names = [...groups].filter((name) => name.startsWith(logGroupNamePrefix ?? '')).toSorted();
      const index = Number(nextToken);
      const logGroupName = names[index];
      return {
        logGroups: logGroupName === undefined ? [] : [{ logGroupName }],
        ...(index + 1 < names.length ? { nextToken: String(index + 1) } : {}),
      };
    },
    FilterLogEvents: ({ logGroupName, startTime, startFromHead = true, nextToken }: Filter) => {
      if (!groups.has(logGroupName)) return undefined;
      const found = events
        .filter(({ functionName, atMs }) => prefix + functionName === logGroupName && atMs >= startTime)
        .toSorted((a, b) => (startFromHead ? a.atMs - b.atMs : b.atMs - a.atMs));
      const [start = 0, isEmpty = 0] = nextToken?.split('/').map(Number) ?? [];
      if (isEmpty === 1) return { events: [], nextToken: `${start}/0` };
      return {
        events: found
          .slice(start, start + PAGE)
          .map(({ id, atMs, text }) => ({ eventId: id, timestamp: atMs, message: `${text}\n` })),
        ...(start + PAGE < found.length ? { nextToken: `${start + PAGE}/1` } : {}),
      };
    },
  };

  const server = createServer(async (request, response) => {
    calls++;
    const operation = String(request.headers['x-amz-target']).replace('Logs_20140328.', '');
    const answer = answers[operation]?.((await json(request)) as never);
    response.writeHead(answer === undefined ? 400 : 200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer ?? { __type: 'ResourceNotFoundException', message: 'no group' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new CloudWatchLogsClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });

  return {
    client,
    calls: () => calls,
    put(event) {
      groups.add(prefix + event.functionName);
      events.push({ ...event, id: String(events.length) });
    },
    async close() {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
