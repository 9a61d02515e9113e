import type { IncomingMessage } from 'node:http';

/** @returns `undefined` when the body is longer than `maxBytes`; the rest of it is read and dropped. */
export const readBody = (request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.once('end', () => resolve(sizeBytes <= maxBytes ? Buffer.concat(chunks) : undefined));
    request.once('error', reject);
    const breakOff = (): void => reject(new Error('the connection was closed in the middle of a body'));
    if (request.destroyed) breakOff();
    // Every request closes; an error that nobody sees would still have its stack written down.
    request.once('close', () => {
      if (!request.readableEnded) breakOff();
    });
  });
