import { type QueueAttributes, withDefaults } from './queue-attributes.ts';
import type { Queues } from './queues.ts';

export interface WantedQueue {
  readonly name: string;
  readonly attributes: QueueAttributes;
}

/**
 * Makes queues as a deployment has them, and those that are there anew alike. All are made before any is told where
 * its dead letters go, so their order does not matter. What is there and is not wanted stays, with its messages.
 */
export const ensureQueues = async (queues: Queues, wanted: readonly WantedQueue[]): Promise<void> => {
  const there = new Set(queues.names());
  for (const { name } of wanted) if (!there.has(name)) await queues.create(name, {});
  for (const { name, attributes } of wanted) {
    await queues.setAttributes(name, { ...withDefaults({}), RedrivePolicy: '', ...attributes });
  }
};
