import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import type { ObjectStore } from '../../../../local/services/s3/object-store.ts';
import { openS3, type S3Service } from '../../../../local/services/s3/s3.ts';

export interface S3Harness {
  readonly directory: string;
  readonly url: string;
  /** An unchanged SDK client. */
  readonly client: S3Client;
  readonly store: () => ObjectStore;
  /** Closes and opens again, as a stop and a start would. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** The local S3 over HTTP on a free port, with the bucket `models`. */
export const startS3 = async ({ now = Date.now } = {}): Promise<S3Harness> => {
  const directory = await mkdtemp(join(tmpdir(), 's3-'));
  let s3: S3Service = await openS3({ directory, now });
  await s3.store.createBucket('models');
  const server = createServer((request, response) => s3.handle(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new S3Client({ endpoint: url, forcePathStyle: true, maxAttempts: 1 });

  return {
    directory,
    url,
    client,
    store: () => s3.store,
    restart: async () => {
      await s3.close();
      s3 = await openS3({ directory, now });
    },
    close: async () => {
      client.destroy();
      server.closeAllConnections();
      server.close();
      await s3.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
