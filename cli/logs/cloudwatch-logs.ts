import {
  type CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import type { LogLine, LogSource } from './log-source.ts';

const GROUP = '/aws/lambda/';
const MAX_GROUPS = 50;
const MAX_PAGES = 20;

/** The log groups of a deployment's functions. */
export const cloudwatchLogs = (client: CloudWatchLogsClient, functionPrefix: string): LogSource => ({
  async read({ sinceMs, functionName }, limit) {
    const groups =
      functionName === undefined
        ? await listGroups(client, GROUP + functionPrefix)
        : [GROUP + functionPrefix + functionName];
    const found = await Promise.all(groups.map((group) => readGroup(client, group, sinceMs, limit)));
    const lines = found.flat().map(
      ({ group, atMs, text }): LogLine => ({
        functionName: group.slice(GROUP.length + functionPrefix.length),
        atMs,
        text,
      }),
    );
    return lines.toSorted((a, b) => a.atMs - b.atMs).slice(-limit);
  },
});

const listGroups = async (client: CloudWatchLogsClient, prefix: string): Promise<readonly string[]> => {
  const { logGroups = [] } = await client.send(
    new DescribeLogGroupsCommand({ logGroupNamePrefix: prefix, limit: MAX_GROUPS }),
  );
  return logGroups.flatMap(({ logGroupName }) => logGroupName ?? []);
};

const readGroup = async (client: CloudWatchLogsClient, group: string, sinceMs: number, limit: number) => {
  const lines: { readonly group: string; readonly atMs: number; readonly text: string }[] = [];
  let nextToken: string | undefined;
  try {
    // Events come oldest first, and the last ones are asked for.
    for (let page = 0; page < MAX_PAGES; page++) {
      const found = await client.send(
        new FilterLogEventsCommand({ logGroupName: group, startTime: sinceMs, nextToken }),
      );
      for (const { timestamp = 0, message = '' } of found.events ?? []) {
        lines.push({ group, atMs: timestamp, text: message.trimEnd() });
      }
      if (lines.length > 10 * limit) lines.splice(0, lines.length - limit);
      nextToken = found.nextToken;
      if (nextToken === undefined) break;
    }
  } catch (error) {
    // A function that has never run has no group.
    if (!(error instanceof ResourceNotFoundException)) throw error;
  }
  return lines;
};
