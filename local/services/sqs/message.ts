import type { MessageAttributes } from './message-attributes.ts';

/** What a sender gave; it never changes. */
export interface Message {
  readonly body: string;
  readonly attributes: MessageAttributes;
  /** AWSTraceHeader, MessageGroupId: told again to who receives. */
  readonly system: Readonly<Record<string, string>>;
}

/** Where a message stands in its queue: small, so that all of them are held in memory while bodies are on disk. */
export interface Entry {
  readonly id: string;
  /** Of arrival, across restarts. */
  readonly order: number;
  readonly sentMs: number;
  readonly sizeBytes: number;
  readonly visibleAtMs: number;
  readonly receiveCount: number;
  readonly firstReceivedMs?: number;
  /** The queue that it came from, for a dead letter. */
  readonly sourceArn?: string;
}

export interface ReceivedMessage extends Entry, Message {
  readonly receiptHandle: string;
}
