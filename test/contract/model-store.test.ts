import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3ModelStore } from '../../lib/aws/s3-model-store.ts';
import { memoryModelStore } from '../fakes/memory-model-store.ts';
import { type S3Harness, startS3 } from '../local/services/s3/s3-harness.ts';
import { modelStoreContract } from './model-store.contract.ts';

let s3: S3Harness;
let prefixes = 0;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.close());

modelStoreContract('in memory', async () => {
  const store = memoryModelStore();
  return {
    store,
    put: async (model, bytes) => {
      store.put(model, bytes);
    },
  };
});

modelStoreContract('S3', async () => {
  const prefix = `models-${prefixes++}/`;
  return {
    store: s3ModelStore({ client: s3.client, bucket: 'models', prefix }),
    put: async (model, bytes) => {
      await s3.store().put('models', prefix + model, bytes);
    },
  };
});

describe('s3ModelStore, when S3 does not do as asked', () => {
  const answering = async (answer: { status: number; code: string } | 'cut' | 'refuse') => {
    const server = createServer((request, response) => {
      if (answer === 'refuse') return void request.socket.destroy();
      if (answer === 'cut') {
        response.writeHead(200, { 'content-length': 1000, etag: '"x"' }).write('only this');
        return void setImmediate(() => request.socket.destroy());
      }
      response.writeHead(answer.status, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>${answer.code}</Code><Message>said S3</Message></Error>`);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 1 });
    const close = (): void => {
      client.destroy();
      server.closeAllConnections();
      server.close();
    };
    return { store: s3ModelStore({ client, bucket: 'models', prefix: 'models/' }), close };
  };

  it.each([
    ['AccessDenied', 403, 'InternalDependencyException', /needs s3:GetObject.*s3:ListBucket/],
    ['SlowDown', 503, 'ServiceUnavailable', /busy/],
    ['InternalError', 500, 'InternalDependencyException', /did not answer/],
  ])('translates %s', async (code, status, expected, message) => {
    const { store, close } = await answering({ status, code });

    await expect(store.get('m.tar.gz')).rejects.toMatchObject({
      code: expected,
      message: expect.stringMatching(message),
    });
    close();
  });

  it('translates a connection that is refused', async () => {
    const { store, close } = await answering('refuse');

    await expect(store.get('m.tar.gz')).rejects.toMatchObject({ code: 'InternalDependencyException' });
    close();
  });

  it('translates a body that breaks off: the artifact is not to blame', async () => {
    const { store, close } = await answering('cut');
    const object = await store.get('m.tar.gz');

    const read = async (): Promise<void> => {
      for await (const _ of object?.body ?? []);
    };

    await expect(read()).rejects.toMatchObject({ code: 'InternalDependencyException' });
    close();
  });
});
