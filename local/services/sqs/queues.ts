import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../lib/clock.ts';
import { queueArn, queueDoesNotExist } from './addresses.ts';
import type { Entry, Message, ReceivedMessage } from './message.ts';
import { sizeOfAttributes } from './message-attributes.ts';
import { MessageStore } from './message-store.ts';
import { Queue, type QueueCounts } from './queue.ts';
import { mergeAttributes, type QueueAttributes, toSettings, withDefaults } from './queue-attributes.ts';
import { encodeReceipt, parseReceipt } from './receipt-handle.ts';
import { invalidParameter, SqsError } from './sqs-error.ts';
import { WakeUp } from './wake-up.ts';

export interface QueuesOptions {
  readonly directory: string;
  readonly now: Clock;
  /** Of all queues together, where AWS has no bound; a million and 4 GiB unless given. */
  readonly maxMessages?: number;
  readonly maxStoredBytes?: number;
}

export interface NewMessage extends Message {
  /** The queue's unless given. */
  readonly delayMs?: number;
}

export interface Receive {
  readonly max: number;
  /** Of bodies and attributes; unbounded unless given. */
  readonly maxBytes?: number;
  readonly visibilityMs?: number;
  readonly waitMs?: number;
  /** Ends the waiting with what there is. */
  readonly signal?: AbortSignal;
}

/** A message is due by the clock, which no timer follows: who waits looks so often. */
const LOOK_EVERY_MS = 100;
const MAX_WAITING = 1000;
const PURGE_EVERY_MS = 60_000;
/** From the first receive on, whatever the visibility timeout is changed to. */
const MAX_HIDDEN_MS = 43_200_000;

/** SQS without HTTP: queues, and their messages on disk. Names are checked; bodies are as they come. */
export class Queues {
  readonly #options: Required<QueuesOptions>;
  readonly #store: MessageStore;
  readonly #queues = new Map<string, Queue>();
  readonly #wakeUp = new WakeUp();
  readonly #closing = new AbortController();
  readonly #purgedAtMs = new Map<string, number>();
  #order = 0;

  private constructor(store: MessageStore, options: Required<QueuesOptions>) {
    this.#store = store;
    this.#options = options;
  }

  static async open(options: QueuesOptions): Promise<Queues> {
    const store = await MessageStore.open(options.directory);
    const queues = new Queues(store, { maxMessages: 1_000_000, maxStoredBytes: 4 * 2 ** 30, ...options });
    await queues.#recover();
    return queues;
  }

  /** Those that wait get what there is; what was promised is on disk. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#store.close();
  }

  names(prefix = ''): readonly string[] {
    return [...this.#queues.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  /** Does nothing when it is there with the same attributes. @throws SqsError QueueNameExists, and of RedrivePolicy. */
  async create(name: string, attributes: QueueAttributes): Promise<void> {
    const there = this.#queues.get(name);
    if (there !== undefined) return checkSame(there, attributes);
    const nowMs = this.#options.now();
    const merged = mergeAttributes({}, attributes);
    this.#checkRedrive(merged, name);
    const queue = new Queue({ name, createdMs: nowMs, modifiedMs: nowMs, attributes: merged });
    this.#queues.set(name, queue);
    await this.#store.saveQueue(queue.row);
  }

  async setAttributes(name: string, attributes: QueueAttributes): Promise<void> {
    const queue = this.require(name);
    this.#checkRedrive(mergeAttributes(queue.row.attributes, attributes), name);
    queue.setAttributes(attributes, this.#options.now());
    await this.#store.saveQueue(queue.row);
  }

  /** @throws SqsError QueueDoesNotExist */
  require(name: string): Queue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw queueDoesNotExist();
    return queue;
  }

  async counts(name: string): Promise<QueueCounts> {
    const queue = this.require(name);
    await this.#expire(queue);
    return queue.counts(this.#options.now());
  }

  /** @returns the message's id. @throws SqsError for one that is too long, or too many. */
  async send(name: string, { delayMs, ...message }: NewMessage): Promise<string> {
    const queue = this.require(name);
    const sizeBytes = sizeOf(message);
    const { maxMessageBytes } = queue.settings;
    if (sizeBytes > maxMessageBytes) throw tooLong(maxMessageBytes);
    await this.#expire(queue);
    this.#checkRoom(sizeBytes);

    const sentMs = this.#options.now();
    const visibleAtMs = sentMs + (delayMs ?? queue.settings.delayMs);
    const order = ++this.#order;
    const entry: Entry = { id: randomUUID(), order, sentMs, sizeBytes, visibleAtMs, receiveCount: 0 };
    await this.#store.add(name, [{ entry, message }]);
    queue.put(entry, sentMs);
    this.#wakeUp.ring();
    return entry.id;
  }

  /** @throws SqsError OverLimit when too many messages are in flight and it would not wait. */
  async receive(name: string, asked: Receive): Promise<readonly ReceivedMessage[]> {
    const queue = this.require(name);
    const { now } = this.#options;
    const waitMs = asked.waitMs ?? queue.settings.receiveWaitMs;
    const endsAtMs = now() + waitMs;
    const signal = AbortSignal.any([this.#closing.signal, ...(asked.signal ? [asked.signal] : [])]);
    if (this.#wakeUp.waiting >= MAX_WAITING) throw new SqsError('OverLimit', 'Too many receivers wait.');

    while (!signal.aborted) {
      const received = await this.#take(queue, asked);
      if (received.length > 0) return received;
      const leftMs = endsAtMs - now();
      if (leftMs <= 0) break;
      await this.#wakeUp.wait(Math.min(leftMs, LOOK_EVERY_MS), signal);
    }
    if (queue.isFull && waitMs === 0) {
      throw new SqsError('OverLimit', 'Too many messages in flight for the queue: 120,000.');
    }
    return [];
  }

  /** A stale receipt deletes nothing, and is no error. @throws SqsError ReceiptHandleIsInvalid */
  async delete(name: string, receiptHandle: string): Promise<void> {
    const queue = this.require(name);
    const { id, receiveCount } = parseReceipt(name, receiptHandle);
    if (queue.get(id)?.receiveCount !== receiveCount) return;
    queue.remove(id);
    await this.#store.remove(name, [{ id }]);
  }

  /** @throws SqsError ReceiptHandleIsInvalid, MessageNotInflight, and for more than 12 hours in all. */
  async changeVisibility(name: string, receiptHandle: string, visibilityMs: number): Promise<void> {
    const queue = this.require(name);
    const nowMs = this.#options.now();
    const { id, receiveCount } = parseReceipt(name, receiptHandle);
    const entry = queue.get(id);
    if (entry?.receiveCount !== receiveCount) {
      const reason = 'Message does not exist or is not available for visibility timeout change.';
      throw invalidParameter('ReceiptHandle', receiptHandle, reason);
    }
    if (!queue.isHidden(id, nowMs)) {
      throw new SqsError('MessageNotInflight', 'The message referred to is not in flight.');
    }
    const visibleAtMs = nowMs + visibilityMs;
    if (visibleAtMs > (entry.firstReceivedMs ?? nowMs) + MAX_HIDDEN_MS) {
      const reason = 'Total VisibilityTimeout for the message is beyond the limit [43200 seconds]';
      throw invalidParameter('VisibilityTimeout', visibilityMs / 1000, reason);
    }
    queue.put({ ...entry, visibleAtMs }, nowMs);
    await this.#store.update(name, [{ ...entry, visibleAtMs }]);
    this.#wakeUp.ring();
  }

  /** @throws SqsError PurgeQueueInProgress within a minute of the last. */
  async purge(name: string): Promise<void> {
    const queue = this.require(name);
    const nowMs = this.#options.now();
    if (nowMs - (this.#purgedAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < PURGE_EVERY_MS) {
      const message = `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`;
      throw new SqsError('PurgeQueueInProgress', message);
    }
    this.#purgedAtMs.set(name, nowMs);
    await this.#store.remove(name, queue.clear());
  }

  /** Memory is changed, and its write asked for, before anything is waited for: two receivers never get one message. */
  async #take(queue: Queue, asked: Receive): Promise<readonly ReceivedMessage[]> {
    const { max, maxBytes, visibilityMs } = asked;
    const { now } = this.#options;
    await this.#expire(queue);
    const { redrive, visibilityTimeoutMs } = queue.settings;
    const deadLetters = redrive && this.#queues.get(redrive.deadLetterQueue);
    const { entries, dead } = queue.take({
      max,
      maxBytes: maxBytes ?? Number.POSITIVE_INFINITY,
      visibilityMs: visibilityMs ?? visibilityTimeoutMs,
      nowMs: now(),
      maxReceiveCount: deadLetters && redrive?.maxReceiveCount,
    });
    if (deadLetters !== undefined) await this.#bury(queue, deadLetters, dead);
    if (entries.length > 0) return this.#read(queue, entries);
    return dead.length > 0 ? this.#take(queue, asked) : [];
  }

  async #read(queue: Queue, entries: readonly Entry[]): Promise<readonly ReceivedMessage[]> {
    const saved = this.#store.update(queue.name, entries);
    const messages = await this.#store.messages(entries.map(({ id }) => id));
    await saved;
    return entries.flatMap((entry, index) => {
      const message = messages[index];
      // Purged while it was being read.
      if (message === undefined) return [];
      return [{ ...entry, ...message, receiptHandle: encodeReceipt(queue.name, entry) }];
    });
  }

  /** Dead letters keep their ids, the time at which they were sent, and their count. */
  async #bury(from: Queue, to: Queue, dead: readonly Entry[]): Promise<void> {
    if (dead.length === 0) return;
    const nowMs = this.#options.now();
    const moved = dead.map((entry) => ({ ...entry, visibleAtMs: nowMs, sourceArn: queueArn(from.name) }));
    for (const entry of moved) to.put(entry, nowMs);
    this.#wakeUp.ring();
    await this.#store.move(from.name, to.name, moved);
  }

  async #expire(queue: Queue): Promise<void> {
    await this.#store.remove(queue.name, queue.expire(this.#options.now()));
  }

  #checkRoom(sizeBytes: number): void {
    const { maxMessages, maxStoredBytes } = this.#options;
    const all = [...this.#queues.values()];
    const messages = all.reduce((sum, { length }) => sum + length, 0);
    const bytes = all.reduce((sum, queue) => sum + queue.sizeBytes, sizeBytes);
    if (messages < maxMessages && bytes <= maxStoredBytes) return;
    throw new SqsError(
      'OverLimit',
      `The local SQS holds at most ${maxMessages} messages and ${maxStoredBytes} bytes.`,
    );
  }

  #checkRedrive(attributes: QueueAttributes, name: string): void {
    const target = toSettings(attributes).redrive?.deadLetterQueue;
    if (target === undefined || (target !== name && this.#queues.has(target))) return;
    throw invalidParameter(
      'RedrivePolicy',
      attributes['RedrivePolicy'],
      'Dead letter target does not exist.',
    );
  }

  async #recover(): Promise<void> {
    const nowMs = this.#options.now();
    for (const row of await this.#store.queues()) {
      const queue = new Queue(row);
      const entries: Entry[] = [];
      for await (const entry of this.#store.entries(row.name)) entries.push(entry);
      for (const entry of entries.sort((a, b) => a.order - b.order)) queue.put(entry, nowMs);
      this.#order = Math.max(this.#order, entries.at(-1)?.order ?? 0);
      this.#queues.set(row.name, queue);
    }
  }
}

const checkSame = (queue: Queue, attributes: QueueAttributes): void => {
  const there = withDefaults(queue.row.attributes);
  const differing = Object.keys(attributes).find((name) => there[name] !== attributes[name]);
  if (differing === undefined) return;
  throw new SqsError(
    'QueueNameExists',
    `A queue already exists with the same name and a different value for attribute ${differing}`,
  );
};

const sizeOf = ({ body, attributes }: Message): number =>
  Buffer.byteLength(body) + sizeOfAttributes(attributes);

const tooLong = (maxBytes: number): SqsError =>
  new SqsError(
    'InvalidParameterValueException',
    `One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`,
  );
