import {
  type CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  inOrder,
  isFunctionName,
  type LogLine,
  type LogLines,
  type LogQuery,
  type LogReader,
  type LogSource,
} from './log-source.ts';

const GROUP = '/aws/lambda/';
/** A stack has some 45 functions (functions/groups.cjs). */
const MAX_GROUP_PAGES = 10;
/** A page has up to 10,000 events or 1 MB, and may have none. */
const MAX_PAGES = 20;
/** FilterLogEvents is for 5 to 25 calls a second, by region. */
const AT_ONCE = 5;
/** Events may be seen some time after their own time, and out of order. */
const LATE_MS = 60_000;
/** FilterLogEvents gives the latest first only for times from here on. */
const FIRST_TIME_MS = Date.UTC(2024, 0, 1);

export interface CloudWatchLogsOptions {
  readonly client: CloudWatchLogsClient;
  /** What the functions' names begin with. */
  readonly functionPrefix: string;
  readonly now: () => number;
}

/** The log groups of a deployment's functions. */
export const cloudwatchLogs = ({ client, functionPrefix, now }: CloudWatchLogsOptions): LogSource => {
  const functions = async (): Promise<readonly string[]> => {
    const prefix = GROUP + functionPrefix;
    const names = await listGroups(client, prefix);
    return names
      .map((name) => name.slice(prefix.length))
      .filter(isFunctionName)
      .toSorted();
  };
  return {
    followEveryMs: 5000,
    functions,
    open: (query) =>
      createReader({
        query,
        now,
        functions: async () => (query.functionName === undefined ? functions() : [query.functionName]),
        read: (functionName, how) => readEvents(client, GROUP + functionPrefix + functionName, how),
      }),
  };
};

const listGroups = async (client: CloudWatchLogsClient, prefix: string): Promise<readonly string[]> => {
  const names: string[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < MAX_GROUP_PAGES; page++) {
    const found = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: prefix, nextToken }));
    names.push(...(found.logGroups ?? []).flatMap(({ logGroupName }) => logGroupName ?? []));
    nextToken = found.nextToken;
    if (nextToken === undefined) break;
  }
  return names;
};

interface LogEvent {
  readonly id: string;
  readonly atMs: number;
  readonly text: string;
}

interface HowToRead {
  readonly sinceMs: number;
  readonly isLatestFirst: boolean;
  /** Given a page of events. @returns whether that is enough */
  readonly take: (events: readonly LogEvent[]) => boolean;
}

interface ReaderParts {
  readonly query: LogQuery;
  readonly now: () => number;
  readonly functions: () => Promise<readonly string[]>;
  /** @returns whether there was more than is read at a time */
  readonly read: (functionName: string, how: HowToRead) => Promise<boolean>;
}

const createReader = ({ query, now, functions, read }: ReaderParts): LogReader => {
  const { sinceMs, isWanted = () => true } = query;
  /** Times of events by id, of those that may come up again. */
  const seen = new Map<string, number>();
  /** Where a function's events have been read back to. */
  const floors = new Map<string, number>();

  const readLast = async (functionName: string, limit: number): Promise<LogLines> => {
    let lines: readonly LogLine[] = [];
    const isCut = await read(functionName, {
      sinceMs,
      isLatestFirst: true,
      take: (events) => {
        for (const { id, atMs } of events) seen.set(`${functionName} ${id}`, atMs);
        const found = events.map(({ atMs, text }): LogLine => ({ functionName, atMs, text }));
        lines = inOrder([...found.filter(isWanted), ...lines]).slice(-limit);
        const floorMs = Math.min(...events.map(({ atMs }) => atMs), floors.get(functionName) ?? now());
        floors.set(functionName, lines.length === limit ? floorMs : sinceMs);
        return lines.length === limit;
      },
    });
    forget();
    return { lines, isCut };
  };

  const readMore = async (functionName: string): Promise<LogLines> => {
    const lines: LogLine[] = [];
    const isCut = await read(functionName, {
      sinceMs: Math.max(floors.get(functionName) ?? sinceMs, now() - LATE_MS),
      isLatestFirst: false,
      take: (events) => {
        for (const { id, atMs, text } of events) {
          if (!seen.has(`${functionName} ${id}`)) lines.push({ functionName, atMs, text });
          seen.set(`${functionName} ${id}`, atMs);
        }
        return false;
      },
    });
    return { lines: lines.filter(isWanted), isCut };
  };

  const forget = (): void => {
    for (const [id, atMs] of seen) if (atMs < now() - LATE_MS) seen.delete(id);
  };

  return {
    async last(limit) {
      const { lines, isCut } = await ofAll(await functions(), (name) => readLast(name, limit));
      return { lines: lines.slice(-limit), isCut };
    },
    async more() {
      const found = await ofAll(await functions(), readMore);
      forget();
      return found;
    },
  };
};

const ofAll = async (
  functions: readonly string[],
  read: (functionName: string) => Promise<LogLines>,
): Promise<LogLines> => {
  const found: LogLines[] = [];
  for (let start = 0; start < functions.length; start += AT_ONCE) {
    found.push(...(await Promise.all(functions.slice(start, start + AT_ONCE).map(read))));
  }
  return {
    lines: inOrder(found.flatMap(({ lines }) => lines)),
    isCut: found.some(({ isCut }) => isCut),
  };
};

const readEvents = async (
  client: CloudWatchLogsClient,
  logGroupName: string,
  { sinceMs, isLatestFirst, take }: HowToRead,
): Promise<boolean> => {
  const startTime = Math.max(sinceMs, FIRST_TIME_MS);
  let nextToken: string | undefined;
  try {
    for (let page = 0; page < MAX_PAGES; page++) {
      const found = await client.send(
        new FilterLogEventsCommand({ logGroupName, startTime, startFromHead: !isLatestFirst, nextToken }),
      );
      const events = (found.events ?? []).map(
        ({ eventId = '', timestamp = 0, message = '' }): LogEvent => ({
          id: eventId,
          atMs: timestamp,
          text: message.trimEnd(),
        }),
      );
      nextToken = found.nextToken;
      if (take(events) || nextToken === undefined) return false;
    }
    return true;
  } catch (error) {
    // A function that has never run has no group.
    if (error instanceof ResourceNotFoundException) return false;
    throw error;
  }
};
