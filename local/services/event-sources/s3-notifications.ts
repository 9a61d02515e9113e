import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../lib/clock.ts';
import type { BucketNotification } from '../../deployment/event-sources.ts';
import type { ObjectEvent, OnObjectEvent } from '../s3/object-event.ts';
import type { Queues } from '../sqs/queues.ts';
import { encodeS3Event } from './s3-event.ts';
import { createSequencer } from './sequencer.ts';

export interface S3NotificationsOptions {
  readonly notifications: readonly BucketNotification[];
  readonly queues: Pick<Queues, 'send'>;
  readonly now: Clock;
  readonly onError: (error: unknown) => void;
}

export interface S3Notifications {
  readonly onObjectEvent: OnObjectEvent;
  /** Until all that was told has been sent. */
  drain(): Promise<void>;
}

/** Events that wait to be written to the queue; more than a disk falls behind with. */
const MAX_PENDING = 10_000;

/**
 * S3's event notifications to SQS. A write of an object does not wait for its message, which comes soon after, in the
 * order of the writes; not as on AWS, a crash between the two loses the message.
 */
export const createS3Notifications = (options: S3NotificationsOptions): S3Notifications => {
  const { notifications, queues, now, onError } = options;
  const nextSequencer = createSequencer(now);
  const pending = new Set<Promise<void>>();

  const send = (event: ObjectEvent, { id, queueName }: BucketNotification): void => {
    if (pending.size >= MAX_PENDING) {
      onError(new Error(`${event.bucket}: ${MAX_PENDING} notifications wait, one of ${event.key} is lost`));
      return;
    }
    const context = { configurationId: id, sequencer: nextSequencer(), requestId: randomUUID() };
    const body = encodeS3Event(event, context);
    const sent = queues
      .send(queueName, { body, attributes: {}, system: {} })
      .then(() => undefined, onError)
      .finally(() => pending.delete(sent));
    pending.add(sent);
  };

  return {
    onObjectEvent: (event) => {
      for (const notification of notifications) if (matches(notification, event)) send(event, notification);
    },
    drain: async () => {
      await Promise.all(pending);
    },
  };
};

const matches = (
  { bucket, event, prefix, suffix }: BucketNotification,
  { name, ...happened }: ObjectEvent,
): boolean =>
  bucket === happened.bucket &&
  isOfKind(`s3:${name}`, event) &&
  happened.key.startsWith(prefix) &&
  happened.key.endsWith(suffix);

const isOfKind = (name: string, asked: string): boolean =>
  asked.endsWith('*') ? name.startsWith(asked.slice(0, -1)) : name === asked;
