import { ClassicLevel } from 'classic-level';
import type { Entry, Message } from './message.ts';
import type { QueueRow } from './queue.ts';

type Row =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

/**
 * Queues and messages on disk (LevelDB). Bodies have rows of their own, which never change and are read only when a
 * message is received; where a message stands is a small row. Writes that meet go out as one, in the order in which they
 * were asked for, so the disk never holds what memory did not.
 */
export class MessageStore {
  readonly #index: ClassicLevel<string, unknown>;
  #waiting: Row[] = [];
  #turn: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(index: ClassicLevel<string, unknown>) {
    this.#index = index;
  }

  /** Takes the lock on the folder. */
  static async open(directory: string): Promise<MessageStore> {
    const index = new ClassicLevel<string, unknown>(directory, { valueEncoding: 'json' });
    await index.open();
    return new MessageStore(index);
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#index.close();
  }

  async queues(): Promise<readonly QueueRow[]> {
    return (await this.#index.values({ gte: 'q\0', lt: 'q\u0001' }).all()) as QueueRow[];
  }

  async *entries(queue: string): AsyncGenerator<Entry> {
    const range = { gte: `e\0${queue}\0`, lt: `e\0${queue}\u0001` };
    for await (const value of this.#index.values(range)) yield value as Entry;
  }

  /** @returns `undefined` for what is not there (any more). */
  async messages(ids: readonly string[]): Promise<readonly (Message | undefined)[]> {
    return (await this.#index.getMany(ids.map(messageRow))) as (Message | undefined)[];
  }

  saveQueue(row: QueueRow): Promise<void> {
    return this.#write([{ type: 'put', key: `q\0${row.name}`, value: row }]);
  }

  add(queue: string, added: readonly { readonly entry: Entry; readonly message: Message }[]): Promise<void> {
    return this.#write(
      added.flatMap(({ entry, message }) => [
        { type: 'put', key: messageRow(entry.id), value: message },
        putEntry(queue, entry),
      ]),
    );
  }

  update(queue: string, entries: readonly Entry[]): Promise<void> {
    return this.#write(entries.map((entry) => putEntry(queue, entry)));
  }

  move(from: string, to: string, entries: readonly Entry[]): Promise<void> {
    return this.#write(entries.flatMap((entry) => [deleteEntry(from, entry.id), putEntry(to, entry)]));
  }

  remove(queue: string, entries: readonly Pick<Entry, 'id'>[]): Promise<void> {
    return this.#write(
      entries.flatMap(({ id }) => [deleteEntry(queue, id), { type: 'del', key: messageRow(id) }]),
    );
  }

  #write(rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return Promise.resolve();
    for (const row of rows) this.#waiting.push(row);
    this.#turn ??= this.#last.then(() => {
      const together = this.#waiting;
      this.#waiting = [];
      this.#turn = undefined;
      return this.#index.batch(together);
    });
    this.#last = this.#turn.catch(() => undefined);
    return this.#turn;
  }
}

const messageRow = (id: string): string => `m\0${id}`;
const entryRow = (queue: string, id: string): string => `e\0${queue}\0${id}`;
const putEntry = (queue: string, entry: Entry): Row => ({
  type: 'put',
  key: entryRow(queue, entry.id),
  value: entry,
});
const deleteEntry = (queue: string, id: string): Row => ({ type: 'del', key: entryRow(queue, id) });
