import { queueArn } from '../services/sqs/addresses.ts';
import { arnOf, integer, type OfType, type Properties, record, text, unexpected } from './template-values.ts';

export interface DeployedQueue {
  readonly name: string;
  /** As CreateQueue takes them. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Names of queues by their logical ids. */
export type QueueNames = ReadonlyMap<string, string>;

const NUMBERS = [
  'VisibilityTimeout',
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
];

export const queueNames = (ofType: OfType): QueueNames =>
  new Map(ofType('AWS::SQS::Queue').map(([id, queue]) => [id, text(queue['QueueName'], `${id}.QueueName`)]));

/** @throws Error for a FIFO queue, and for dead letters that go to no queue of the template. */
export const parseQueues = (ofType: OfType, names: QueueNames): readonly DeployedQueue[] =>
  ofType('AWS::SQS::Queue').map(([id, queue]) => {
    if (queue['FifoQueue'] === true) throw unexpected(`${id}.FifoQueue`, 'false', true);
    const numbers = NUMBERS.filter((name) => queue[name] !== undefined).map(
      (name) => [name, String(integer(queue[name], `${id}.${name}`))] as const,
    );
    const redrive = parseRedrive(id, queue, names);
    return {
      name: names.get(id) ?? '',
      attributes: {
        ...Object.fromEntries(numbers),
        ...(redrive === undefined ? {} : { RedrivePolicy: redrive }),
      },
    };
  });

/** The queue that `{"Fn::GetAtt": [queue, "Arn"]}` is of. */
export const queueOf = (value: unknown, names: QueueNames, where: string): string => {
  const name = names.get(arnOf(value, where));
  if (name === undefined) throw unexpected(where, 'the Arn of a queue of this template', value);
  return name;
};

const parseRedrive = (id: string, queue: Properties, names: QueueNames): string | undefined => {
  if (queue['RedrivePolicy'] === undefined) return undefined;
  const policy = record(queue['RedrivePolicy']);
  const where = `${id}.RedrivePolicy`;
  return JSON.stringify({
    deadLetterTargetArn: queueArn(
      queueOf(policy['deadLetterTargetArn'], names, `${where}.deadLetterTargetArn`),
    ),
    maxReceiveCount: integer(policy['maxReceiveCount'], `${where}.maxReceiveCount`),
  });
};
