import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly model: string;
  readonly contentType: string;
  readonly body: string;
}

export interface TinyServer {
  readonly url: string;
  readonly received: readonly Received[];
  readonly close: () => Promise<void>;
}

/** Notes each call, and answers it as `respond` says. */
export const startTinyServer = async (
  respond: (call: Received, response: ServerResponse) => void = (_, response) => {
    response.end('{}');
  },
): Promise<TinyServer> => {
  const received: Received[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call = {
      path: request.url ?? '',
      model: String(request.headers['x-amzn-sagemaker-target-model']),
      contentType: String(request.headers['content-type']),
      body: Buffer.concat(chunks).toString(),
    };
    received.push(call);
    respond(call, response);
  };
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
