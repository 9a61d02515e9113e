import { DueHeap } from './due-heap.ts';
import type { Entry } from './message.ts';
import { mergeAttributes, type QueueAttributes, type QueueSettings, toSettings } from './queue-attributes.ts';

/** Developer guide, "Message quotas": of a standard queue. */
export const MAX_IN_FLIGHT = 120_000;

export interface Take {
  readonly max: number;
  /** Of all that is taken; one message is taken whatever its size. */
  readonly maxBytes: number;
  readonly visibilityMs: number;
  readonly nowMs: number;
  /** Where messages go that were received too often; without it they stay. */
  readonly maxReceiveCount: number | undefined;
}

export interface Taken {
  readonly entries: readonly Entry[];
  /** Received often enough: they left the queue, and want to be put into another. */
  readonly dead: readonly Entry[];
}

export interface QueueCounts {
  readonly ready: number;
  readonly inFlight: number;
  readonly delayed: number;
}

export interface QueueRow {
  readonly name: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly attributes: QueueAttributes;
}

/** The messages of one queue, and which of them may be received. No bodies, no disk, and time as it is told. */
export class Queue {
  #row: QueueRow;
  #settings: QueueSettings;
  readonly #entries = new Map<string, Entry>();
  /** In order of arrival, or of coming back. */
  readonly #ready = new Set<string>();
  readonly #hidden = new Set<string>();
  readonly #due = new DueHeap();
  #inFlight = 0;
  #sizeBytes = 0;

  constructor(row: QueueRow) {
    this.#row = row;
    this.#settings = toSettings(row.attributes);
  }

  get name(): string {
    return this.#row.name;
  }

  get row(): QueueRow {
    return this.#row;
  }

  get settings(): QueueSettings {
    return this.#settings;
  }

  get length(): number {
    return this.#entries.size;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isFull(): boolean {
    return this.#inFlight >= MAX_IN_FLIGHT;
  }

  setAttributes(set: QueueAttributes, nowMs: number): void {
    const attributes = mergeAttributes(this.#row.attributes, set);
    this.#row = { ...this.#row, attributes, modifiedMs: nowMs };
    this.#settings = toSettings(attributes);
  }

  put(entry: Entry, nowMs: number): void {
    this.#detach(entry.id);
    // What was there keeps its place, so that the first to expire stay first.
    this.#entries.set(entry.id, entry);
    this.#sizeBytes += entry.sizeBytes;
    if (entry.visibleAtMs <= nowMs) {
      this.#ready.add(entry.id);
      return;
    }
    this.#hidden.add(entry.id);
    if (entry.receiveCount > 0) this.#inFlight++;
    this.#due.push({ atMs: entry.visibleAtMs, id: entry.id });
    // What was shown again or deleted before it was due stays in the heap: it may not outgrow what is hidden.
    if (this.#due.size > 2 * this.#hidden.size + 1000) {
      this.#due.keep(({ id, atMs }) => this.#isDueAt(id, atMs));
    }
  }

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  isHidden(id: string, nowMs: number): boolean {
    return this.#hidden.has(id) && (this.#entries.get(id)?.visibleAtMs ?? 0) > nowMs;
  }

  remove(id: string): Entry | undefined {
    const entry = this.#detach(id);
    this.#entries.delete(id);
    return entry;
  }

  clear(): readonly Entry[] {
    const all = [...this.#entries.values()];
    for (const { id } of all) this.remove(id);
    return all;
  }

  /** Takes out what was kept for long enough, as far as it is among the first to have arrived. */
  expire(nowMs: number): readonly Entry[] {
    const expired: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.sentMs + this.#settings.retentionMs > nowMs) break;
      expired.push(entry);
    }
    for (const { id } of expired) this.remove(id);
    return expired;
  }

  /** Hides the first messages that may be seen, so that one receiver has each. */
  take({ max, maxBytes, visibilityMs, nowMs, maxReceiveCount }: Take): Taken {
    this.#showDue(nowMs);
    const entries: Entry[] = [];
    const dead: Entry[] = [];
    let sizeBytes = 0;
    for (const id of [...first(this.#ready, max)]) {
      const entry = this.#entries.get(id);
      if (entry === undefined || this.isFull) continue;
      if (maxReceiveCount !== undefined && entry.receiveCount >= maxReceiveCount) {
        this.remove(id);
        dead.push(entry);
        continue;
      }
      if (entries.length > 0 && sizeBytes + entry.sizeBytes > maxBytes) break;
      sizeBytes += entry.sizeBytes;
      const taken: Entry = {
        ...entry,
        visibleAtMs: nowMs + visibilityMs,
        receiveCount: entry.receiveCount + 1,
        firstReceivedMs: entry.firstReceivedMs ?? nowMs,
      };
      this.put(taken, nowMs);
      entries.push(taken);
    }
    return { entries, dead };
  }

  counts(nowMs: number): QueueCounts {
    this.#showDue(nowMs);
    const delayed = this.#hidden.size - this.#inFlight;
    return { ready: this.#ready.size, inFlight: this.#inFlight, delayed };
  }

  #detach(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#sizeBytes -= entry.sizeBytes;
    this.#ready.delete(id);
    if (this.#hidden.delete(id) && entry.receiveCount > 0) this.#inFlight--;
    return entry;
  }

  #showDue(nowMs: number): void {
    for (let due = this.#due.first; due !== undefined && due.atMs <= nowMs; due = this.#due.first) {
      this.#due.pop();
      if (!this.#isDueAt(due.id, due.atMs)) continue;
      if ((this.#entries.get(due.id)?.receiveCount ?? 0) > 0) this.#inFlight--;
      this.#hidden.delete(due.id);
      this.#ready.add(due.id);
    }
  }

  #isDueAt(id: string, atMs: number): boolean {
    return this.#hidden.has(id) && this.#entries.get(id)?.visibleAtMs === atMs;
  }
}

function* first<T>(values: Iterable<T>, count: number): Generator<T> {
  let left = count;
  for (const value of values) {
    if (left-- <= 0) return;
    yield value;
  }
}
