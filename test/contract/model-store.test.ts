import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3ModelStore, s3WeightStore } from '../../lib/aws/s3-model-store.ts';
import { createS3Objects } from '../../lib/aws/s3-objects.ts';
import { createS3Requests } from '../../lib/aws/s3-requests.ts';
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
    store: s3ModelStore({
      objects: createS3Objects(createS3Requests(dummyEnvironment(s3.url))),
      bucket: 'models',
      prefix,
    }),
    put: async (model, bytes) => {
      await s3.store().put('models', prefix + model, bytes);
    },
  };
});

const dummyEnvironment = (AWS_ENDPOINT_URL: string) => ({
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL,
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
    const objects = createS3Objects(createS3Requests(dummyEnvironment(endpoint)));
    const close = (): void => {
      server.closeAllConnections();
      server.close();
    };
    return { store: s3ModelStore({ objects, bucket: 'models', prefix: 'models/' }), close };
  };

  it.each([
    ['AccessDenied', 403, 'InternalDependencyException', /needs s3:GetObject.*s3:ListBucket/],
    ['SlowDown', 503, 'ServiceUnavailable', /busy/],
    ['PermanentRedirect', 301, 'InternalDependencyException', /bucket models is in another region/],
    ['NoSuchBucket', 404, 'InternalDependencyException', /bucket models does not exist: MODELS_BUCKET/],
    ['InternalError', 500, 'InternalDependencyException', /did not answer/],
  ])('translates %s', async (code, status, expected, message) => {
    const { store, close } = await answering({ status, code });

    const error = { code: expected, message: expect.stringMatching(message) };
    await expect(store.get('m.tar.gz')).rejects.toMatchObject(error);
    const ofList = status === 403 ? { ...error, message: expect.stringMatching(MAY_NOT_LIST) } : error;
    await expect(store.list('')).rejects.toMatchObject(ofList);
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
      if (object === undefined || object === 'unchanged') throw new Error('there is an object');
      for await (const _ of object.body);
    };

    await expect(read()).rejects.toMatchObject({ code: 'InternalDependencyException' });
    await expect(store.list('')).rejects.toMatchObject({ code: 'InternalDependencyException' });
    close();
  });
});

const MAY_NOT_LIST = /objects of the bucket models may not be listed: the role needs s3:ListBucket/;

it('keeps none of a page but the names that its reader keeps', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const keys = Array.from({ length: 1000 }, (_, index) => `models/${'x'.repeat(200)}-${index}.tar.gz`);
  const contents = keys.map(
    (key) => `<Contents><Key>${key}</Key><ETag>&quot;0&quot;</ETag><Size>1</Size></Contents>`,
  );
  const server = createServer((_, response) => {
    response.end(`<ListBucketResult>${contents.join('')}</ListBucketResult>`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const objects = createS3Objects(createS3Requests(dummyEnvironment(url)));
  const store = s3ModelStore({ objects, bucket: 'models', prefix: 'models/' });
  const kept: unknown[] = [];
  const read = async (pages: number): Promise<number> => {
    for (let page = 0; page < pages; page++) kept.push([...(await store.list('')).etags][page]);
    collect();
    return process.memoryUsage().heapUsed;
  };

  const before = await read(5);
  const after = await read(100);

  expect(kept).toHaveLength(105);
  expect((after - before) / 100).toBeLessThan(20_000);
  server.closeAllConnections();
  server.close();
});

describe('s3ModelStore, when an object is replaced while it is read', () => {
  it('fails rather than mix the two', async () => {
    const store = s3ModelStore({
      objects: createS3Objects(createS3Requests(dummyEnvironment(s3.url))),
      bucket: 'models',
      prefix: 'r/',
    });
    await s3.store().put('models', 'r/m.tar.gz', Buffer.alloc(20_000_000, 1));
    const object = await store.get('m.tar.gz');
    await s3.store().put('models', 'r/m.tar.gz', Buffer.alloc(20_000_000, 2));

    const read = async (): Promise<void> => {
      if (object === undefined || object === 'unchanged') throw new Error('there is an object');
      for await (const _ of object.body);
    };

    await expect(read()).rejects.toMatchObject({
      code: 'InternalDependencyException',
      message: 'the model was replaced while it was read; try again',
    });
  });
});

describe('s3WeightStore', () => {
  const list = async (key: string): Promise<readonly (readonly [string, number])[]> => {
    const weights = s3WeightStore(createS3Objects(createS3Requests(dummyEnvironment(s3.url))));
    return (await weights.list({ bucket: 'models', key })).map(({ path, sizeBytes }) => [path, sizeBytes]);
  };

  it('finds one object, or all below a folder', async () => {
    for (const key of ['w/a/model.onnx', 'w/a/deep/w&0.bin', 'w/a/', 'w/ab/other']) {
      await s3.store().put('models', key, Buffer.from(key));
    }

    expect(await list('w/a/model.onnx')).toEqual([['model.onnx', 14]]);
    expect(await list('w/a/')).toEqual([
      ['deep/w&0.bin', 16],
      ['model.onnx', 14],
    ]);
    expect(await list('w/a')).toEqual([]);
  });

  it('reads what it found', async () => {
    await s3.store().put('models', 'v/model.onnx', Buffer.from('weights'));
    const [file] = await s3WeightStore(createS3Objects(createS3Requests(dummyEnvironment(s3.url)))).list({
      bucket: 'models',
      key: 'v/model.onnx',
    });

    const chunks: Uint8Array[] = [];
    for await (const chunk of (await file?.read())?.body ?? []) chunks.push(chunk);

    expect(Buffer.concat(chunks).toString()).toBe('weights');
  });
});
