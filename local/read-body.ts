import type { IncomingMessage } from 'node:http';

/** @returns `undefined` when the body is longer than `maxBytes`; the rest of it is read and dropped. */
export const readBody = async (request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> => {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  return sizeBytes <= maxBytes ? Buffer.concat(chunks) : undefined;
};
