import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import dynalite from 'dynalite';

export interface DynamoDBService {
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

/**
 * DynamoDB by dynalite, on disk. Right but for TransactWriteItems and time to live, which it does not know
 * (UnknownOperationException), so this project does without them. Signatures are not verified.
 */
export const openDynamoDB = async (directory: string): Promise<DynamoDBService> => {
  const server = dynalite({ path: directory, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  // It closes its store only with a server that listens; requests reach it through `handle`, not through this port.
  await once(server.listen(0, '127.0.0.1'), 'listening');

  return {
    handle: (request, response) => {
      server.emit('request', request, response);
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
      });
    },
  };
};
