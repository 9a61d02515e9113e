import { readSync, writeSync } from 'node:fs';
import { encodeFrame, FrameReader, parseHead } from './channel.ts';

/** As much as a pipe of Linux holds. */
const READ_BYTES = 64 * 1024;

/** An environment's end of a channel: it waits by blocking its thread, so nothing else of it runs meanwhile, and needs no stream. */
export class BlockingChannel<Sent extends object, Received extends object> {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES);
  readonly #frames: (readonly [Received, string])[] = [];
  readonly #reader = new FrameReader((head, text) => this.#frames.push([parseHead<Received>(head), text]));

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Waits for the next message. Where the other side is gone, so is this process: nobody is left to serve. */
  receive(): readonly [Received, string] {
    for (;;) {
      const next = this.#frames.shift();
      if (next !== undefined) return next;
      const bytes = readSync(this.#fd, this.#buffer);
      if (bytes === 0) process.exit(0);
      this.#reader.push(this.#buffer.subarray(0, bytes));
    }
  }

  /** Returns once the whole has left this process. */
  send(head: Sent, text: string): void {
    const frame = encodeFrame(JSON.stringify(head), text);
    for (let at = 0; at < frame.length; ) at += writeSync(this.#fd, frame, at);
  }
}
