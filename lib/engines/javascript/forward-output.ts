import type { Readable, Writable } from 'node:stream';

/** A model that prints in a loop must not drown the log that all models share, nor its bill. */
const BYTES_PER_SECOND = 64 * 1024;

/** Writes what a thread prints to this process's own output, up to a bound, and says when it leaves out some. */
export const forwardOutput = (from: Readable, to: Writable, now: () => number): void => {
  let sinceMs = now();
  let bytes = 0;
  from.on('data', (chunk: Buffer) => {
    if (now() - sinceMs >= 1000) {
      sinceMs = now();
      bytes = 0;
    }
    const fits = bytes <= BYTES_PER_SECOND;
    bytes += chunk.length;
    if (bytes <= BYTES_PER_SECOND) to.write(chunk);
    else if (fits)
      to.write(`model.mjs printed more than ${BYTES_PER_SECOND} bytes in a second: the rest is left out\n`);
  });
};
