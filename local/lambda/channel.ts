import type { Socket } from 'node:net';

/** Longer than any event with what JSON adds to it: whoever announces more sends no frames. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024;
const PREFIX_BYTES = 8;

/**
 * Messages between the local cloud and an environment over a pipe. A frame is the length of the whole and of the head (two 32-bit numbers, little
 * endian), a head of JSON, and one text that is not looked into. Node's own channel serializes every value on its way, which takes twice as long
 * (docs/performance.md).
 */
export class Channel<Sent extends object, Received extends object> {
  readonly #socket: Socket;

  /** `onMessage` gets the head and the text. What is no frame closes the channel. */
  constructor(socket: Socket, onMessage: (head: Received, text: string) => void) {
    this.#socket = socket;
    const reader = new FrameReader((head, text) => onMessage(parseHead<Received>(head), text));
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        // What `onMessage` throws is not the other side's doing.
        if (!(error instanceof NotAFrame)) throw error;
        socket.destroy();
      }
    });
    // It is followed by 'close', which is what counts.
    socket.on('error', () => undefined);
  }

  /** @param onLeft told once the whole has left this process, or that it cannot */
  send(head: Sent, text: string, onLeft?: (error?: Error | null) => void): void {
    this.#socket.write(encodeFrame(JSON.stringify(head), text), onLeft);
  }
}

export const encodeFrame = (head: string, text: string): Buffer => {
  const headBytes = Buffer.byteLength(head);
  const bytes = headBytes + Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + bytes);
  frame.writeUInt32LE(bytes, 0);
  frame.writeUInt32LE(headBytes, 4);
  frame.write(head, PREFIX_BYTES);
  frame.write(text, PREFIX_BYTES + headBytes);
  return frame;
};

/** Puts frames together again, however the pipe has cut them. */
export class FrameReader {
  readonly #onFrame: (head: string, text: string) => void;
  /** Of a frame that has come in part. */
  #part: Buffer = Buffer.allocUnsafe(PREFIX_BYTES);
  #filled = 0;

  constructor(onFrame: (head: string, text: string) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws NotAFrame for one that is longer than any */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const left = chunk.length - at;
      if (this.#filled === 0 && left >= PREFIX_BYTES) {
        const bytes = frameBytes(chunk, at);
        if (bytes <= left) {
          this.#take(chunk, at, bytes);
          at += bytes;
          continue;
        }
        this.#part = Buffer.allocUnsafe(bytes);
      }
      at += this.#fill(chunk, at);
    }
  }

  /** @returns how many bytes were used */
  #fill(chunk: Buffer, at: number): number {
    const used = chunk.copy(this.#part, this.#filled, at);
    this.#filled += used;
    if (this.#filled < this.#part.length) return used;
    const bytes = frameBytes(this.#part, 0);
    if (bytes > this.#part.length) {
      const whole = Buffer.allocUnsafe(bytes);
      this.#part.copy(whole);
      this.#part = whole;
      return used;
    }
    const whole = this.#part;
    this.#part = Buffer.allocUnsafe(PREFIX_BYTES);
    this.#filled = 0;
    this.#take(whole, 0, bytes);
    return used;
  }

  #take(from: Buffer, at: number, bytes: number): void {
    const textAt = at + PREFIX_BYTES + from.readUInt32LE(at + 4);
    this.#onFrame(
      from.toString('utf8', at + PREFIX_BYTES, textAt),
      from.toString('utf8', textAt, at + bytes),
    );
  }
}

const frameBytes = (from: Buffer, at: number): number => {
  const bytes = from.readUInt32LE(at);
  if (bytes > MAX_FRAME_BYTES || from.readUInt32LE(at + 4) > bytes)
    throw new NotAFrame(`${bytes} bytes announced`);
  return PREFIX_BYTES + bytes;
};

class NotAFrame extends Error {}

/** @throws NotAFrame */
export const parseHead = <Head>(head: string): Head => {
  try {
    return JSON.parse(head) as Head;
  } catch (cause) {
    throw new NotAFrame('a head that is no JSON', { cause });
  }
};
