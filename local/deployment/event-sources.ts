import { type QueueNames, queueOf } from './queues.ts';
import type { Deployment, FunctionTarget } from './template.ts';
import { integer, list, type OfType, type Properties, record, text, unexpected } from './template-values.ts';

/** A queue whose messages a function is given. */
export interface DeployedEventSource {
  readonly queueName: string;
  readonly target: FunctionTarget;
  readonly enabled: boolean;
  readonly batchSize: number;
  readonly windowMs: number;
  /** Whether the function answers with the messages that it failed on. */
  readonly reportsFailures: boolean;
  readonly maximumConcurrency?: number;
}

/** A bucket's messages to a queue. */
export interface BucketNotification {
  readonly id: string;
  readonly bucket: string;
  readonly queueName: string;
  /** `s3:ObjectCreated:Put` or, for all of a kind, `s3:ObjectCreated:*`. */
  readonly event: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** Beyond it a batch needs a window to fill in, and has a bound of its own. */
const MAX_WITHOUT_WINDOW = 10;
const MAX_BATCH = 10_000;
const MAX_WINDOW_SECONDS = 300;

/**
 * Messages would be seen again, and handled twice, while a function is still at work on them. AWS refuses a queue that
 * hides for less than the function may take; the window, in which messages are hidden already, is refused here too.
 * @throws Error naming the times
 */
export const checkVisibility = ({ eventSources, queues, functions }: Timed): void => {
  for (const { queueName, target, windowMs } of eventSources) {
    const queue = queues.find(({ name }) => name === queueName);
    const hiddenSeconds = Number(queue?.attributes['VisibilityTimeout'] ?? DEFAULT_VISIBILITY_SECONDS);
    const { timeoutSeconds = 0 } = functions.find(({ name }) => name === target.functionName) ?? {};
    const windowSeconds = windowMs / 1000;
    if (hiddenSeconds >= timeoutSeconds + windowSeconds) continue;
    const expected = `at least the ${timeoutSeconds} s that ${target.functionName} may take and the ${windowSeconds} s of its window`;
    throw unexpected(`VisibilityTimeout of ${queueName}`, expected, hiddenSeconds);
  }
};

type Timed = Pick<Deployment, 'eventSources' | 'queues' | 'functions'>;
const DEFAULT_VISIBILITY_SECONDS = 30;

export interface EventSourcesOf {
  readonly ofType: OfType;
  readonly queues: QueueNames;
  readonly targetOf: (value: unknown, where: string) => FunctionTarget;
}

/** @throws Error for what AWS would refuse when it is deployed, and for what is not a queue. */
export const parseEventSources = ({
  ofType,
  queues,
  targetOf,
}: EventSourcesOf): readonly DeployedEventSource[] =>
  ofType('AWS::Lambda::EventSourceMapping').map(([id, mapping]) => {
    if (mapping['FilterCriteria'] !== undefined) {
      throw unexpected(
        `${id}.FilterCriteria`,
        'absent (the local cloud does not filter)',
        mapping['FilterCriteria'],
      );
    }
    const maximum = record(mapping['ScalingConfig'])['MaximumConcurrency'];
    const batchSize = within(mapping['BatchSize'] ?? 10, [1, MAX_BATCH], `${id}.BatchSize`);
    const windowWhere = `${id}.MaximumBatchingWindowInSeconds`;
    // "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
    const least = batchSize > MAX_WITHOUT_WINDOW ? 1 : 0;
    const seconds = within(
      mapping['MaximumBatchingWindowInSeconds'] ?? 0,
      [least, MAX_WINDOW_SECONDS],
      windowWhere,
    );
    return {
      queueName: queueOf(mapping['EventSourceArn'], queues, `${id}.EventSourceArn`),
      target: targetOf(mapping['FunctionName'], `${id}.FunctionName`),
      enabled: mapping['Enabled'] !== false,
      batchSize,
      windowMs: 1000 * seconds,
      reportsFailures: list(mapping['FunctionResponseTypes']).includes('ReportBatchItemFailures'),
      ...(maximum === undefined
        ? {}
        : { maximumConcurrency: within(maximum, [2, 1000], `${id}.ScalingConfig.MaximumConcurrency`) }),
    };
  });

/** @throws Error for notifications to other than queues. */
export const parseNotifications = (ofType: OfType, queues: QueueNames): readonly BucketNotification[] =>
  ofType('AWS::S3::Bucket').flatMap(([id, bucket]) => {
    const where = `${id}.NotificationConfiguration`;
    const { QueueConfigurations, ...others } = record(bucket['NotificationConfiguration']);
    if (Object.keys(others).length > 0) throw unexpected(where, 'of QueueConfigurations only', others);
    return list(QueueConfigurations).map((each, index) => {
      const configuration = record(each);
      const event = text(configuration['Event'], `${where}.Event`);
      if (!/^s3:Object(Created|Removed):/.test(event)) {
        throw unexpected(`${where}.Event`, 's3:ObjectCreated:* or s3:ObjectRemoved:*', event);
      }
      return {
        id: `${id}-${index}`,
        bucket: text(bucket['BucketName'], `${id}.BucketName`),
        queueName: queueOf(configuration['Queue'], queues, `${where}.Queue`),
        event,
        ...parseFilter(configuration, `${where}.Filter`),
      };
    });
  });

const parseFilter = (configuration: Properties, where: string): { prefix: string; suffix: string } => {
  const rules = list(record(record(configuration['Filter'])['S3Key'])['Rules']).map(record);
  const value = (name: 'prefix' | 'suffix'): string =>
    text(rules.find((rule) => String(rule['Name']).toLowerCase() === name)?.['Value'] ?? '', where);
  const unknown = rules.find((rule) => !/^(prefix|suffix)$/i.test(String(rule['Name'])));
  if (unknown !== undefined) throw unexpected(where, 'rules of prefix and suffix', unknown);
  return { prefix: value('prefix'), suffix: value('suffix') };
};

const within = (value: unknown, [min, max]: readonly [number, number], where: string): number => {
  const number = integer(value, where);
  if (number < min || number > max) throw unexpected(where, `from ${min} to ${max}`, value);
  return number;
};
