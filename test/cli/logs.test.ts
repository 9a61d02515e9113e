import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logs } from '../../cli/commands/logs.ts';
import { cloudwatchLogs } from '../../cli/logs/cloudwatch-logs.ts';
import { fileLogs } from '../../cli/logs/file-logs.ts';
import type { LogSource } from '../../cli/logs/log-source.ts';

interface Written {
  readonly functionName: string;
  readonly atMs: number;
  readonly text: string;
}

const line = (atMs: number, message: string, more: object = {}): string =>
  JSON.stringify({ level: 'INFO', message, timestamp: new Date(atMs).toISOString(), service: 's', ...more });

const T = Date.parse('2026-11-23T12:00:00Z');
const WRITTEN: readonly Written[] = [
  { functionName: 'router', atMs: T + 1, text: line(T + 1, 'first') },
  { functionName: 'cold-00', atMs: T + 2, text: line(T + 2, 'second') },
  { functionName: 'router', atMs: T + 3, text: '{"_aws":{"Timestamp":1795435200003},"Invocations":1}' },
  {
    functionName: 'router',
    atMs: T + 4,
    text: line(T + 4, 'failed', { level: 'ERROR', error: { name: 'E', message: 'why' } }),
  },
];

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logs-'));
});
afterEach(() => rm(directory, { recursive: true }));

const inFiles = async (): Promise<LogSource> => {
  for (const { functionName, text } of WRITTEN)
    await appendFile(join(directory, `e-${functionName}.log`), `${text}\n`);
  await writeFile(join(directory, 'other-router.log'), `${line(T + 9, 'of another endpoint')}\n`);
  return fileLogs(directory, 'e-');
};

/** CloudWatch Logs, two events a page. */
const inCloudWatch = async (): Promise<LogSource> => {
  const group = (name: string): string => `/aws/lambda/e-${name}`;
  const send = async (command: { readonly input: Record<string, unknown> }) => {
    if (command instanceof DescribeLogGroupsCommand) {
      return { logGroups: ['router', 'cold-00'].map((name) => ({ logGroupName: group(name) })) };
    }
    const { logGroupName, startTime, nextToken = '0' } = command.input;
    const events = WRITTEN.filter(
      ({ functionName, atMs }) => group(functionName) === logGroupName && atMs >= Number(startTime),
    );
    if (!['router', 'cold-00'].map(group).includes(String(logGroupName))) {
      throw new ResourceNotFoundException({ message: 'no group', $metadata: {} });
    }
    const start = Number(nextToken);
    return {
      events: events
        .slice(start, start + 2)
        .map(({ atMs, text }) => ({ timestamp: atMs, message: `${text}\n` })),
      ...(start + 2 < events.length ? { nextToken: String(start + 2) } : {}),
    };
  };
  return cloudwatchLogs({ send } as unknown as CloudWatchLogsClient, 'e-');
};

describe.each([
  ['in files', inFiles],
  ['in CloudWatch', inCloudWatch],
])('logs %s', (_, create) => {
  it('are read in the order of their times, whoever wrote them', async () => {
    const source = await create();
    expect(await source.read({ sinceMs: 0 }, 100)).toEqual(WRITTEN);
  });

  it('are read of one function, since a time, and the last of them', async () => {
    const source = await create();
    expect(await source.read({ sinceMs: T + 2, functionName: 'router' }, 100)).toEqual([
      WRITTEN[2],
      WRITTEN[3],
    ]);
    expect(await source.read({ sinceMs: 0 }, 1)).toEqual([WRITTEN[3]]);
    expect(await source.read({ sinceMs: 0, functionName: 'none' }, 1)).toEqual([]);
  });
});

describe('files of logs', () => {
  it('are read at their ends only, and before the rotated one', async () => {
    await writeFile(join(directory, 'e-router.log.1'), `${line(T, 'rotated')}\n`);
    await writeFile(
      join(directory, 'e-router.log'),
      `${'x'.repeat(5_000_000)}\n${line(T + 1, 'last')}\n  at stack\n`,
    );
    const found = await fileLogs(directory, 'e-').read({ sinceMs: T }, 100);
    expect(found.map(({ text, atMs }) => [text.slice(0, 10), atMs])).toEqual([
      ['{"level":"', T],
      ['{"level":"', T + 1],
      ['  at stack', T + 1],
    ]);
  });

  it('may not be there', async () => {
    expect(await fileLogs(join(directory, 'none'), 'e-').read({ sinceMs: 0 }, 1)).toEqual([]);
  });
});

describe('mme logs', () => {
  const show = async (args: readonly string[], values: object): Promise<readonly string[]> => {
    const lines: string[] = [];
    const output = {
      answer: () => undefined,
      progress: () => undefined,
      line: (text: string) => void lines.push(text),
    };
    const connection = { logs: await inFiles() } as never;
    await logs.run(args, { since: Date.now(), limit: 10, ...values }, { connection, output });
    return lines;
  };

  it('shows lines for people, without metrics', async () => {
    expect(await show([], {})).toEqual([
      '12:00:00.001 router     INFO  first',
      '12:00:00.002 cold-00    INFO  second',
      '12:00:00.004 router     ERROR failed  E: why',
    ]);
  });

  it.each([
    [['router'], { metrics: true }, 3],
    [['router'], { errors: true }, 1],
    [['none.tar.gz'], {}, 1],
    [[], { limit: 1 }, 1],
  ])('%j %j', async (args, values, count) => {
    expect(await show(args, values)).toHaveLength(count);
  });
});
