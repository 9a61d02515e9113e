import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { S3Event, S3EventRecord } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BucketNotification } from '../../../local/deployment/event-sources.ts';
import { encodeKey } from '../../../local/services/event-sources/s3-event.ts';
import {
  createS3Notifications,
  type S3Notifications,
} from '../../../local/services/event-sources/s3-notifications.ts';
import { createSequencer } from '../../../local/services/event-sources/sequencer.ts';
import { openS3 } from '../../../local/services/s3/s3.ts';
import { Queues } from '../../../local/services/sqs/queues.ts';
import { T0 } from './mapping-harness.ts';

const Bucket = 'models';
const notification = (overrides: Partial<BucketNotification> = {}): BucketNotification => ({
  id: 'n',
  bucket: Bucket,
  queueName: 'uploads',
  event: 's3:ObjectCreated:*',
  prefix: '',
  suffix: '',
  ...overrides,
});

/** A bucket, seen by an unchanged SDK, that tells a queue. */
const start = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'notifications-'));
  const errors: unknown[] = [];
  const now = () => T0;
  const queues = await Queues.open({ directory: join(directory, 'sqs'), now });
  await queues.create('uploads', {});
  let notifications: S3Notifications | undefined;
  const s3 = await openS3({
    directory: join(directory, 's3'),
    now,
    onObjectEvent: (event) => notifications?.onObjectEvent(event),
  });
  await s3.store.createBucket(Bucket);
  const server = createServer(s3.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 1 });
  return {
    client,
    store: s3.store,
    errors,
    notify: (...wanted: BucketNotification[]) => {
      const onError = (error: unknown) => errors.push(error);
      notifications = createS3Notifications({ notifications: wanted, queues, now, onError });
    },
    records: async (): Promise<readonly S3EventRecord[]> => {
      await notifications?.drain();
      const messages = await queues.receive('uploads', { max: 100 });
      return messages.flatMap(({ body }) => (JSON.parse(body) as S3Event).Records);
    },
    close: async () => {
      client.destroy();
      server.closeAllConnections();
      server.close();
      await s3.close();
      await queues.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

let s3: Awaited<ReturnType<typeof start>>;
beforeEach(async () => {
  s3 = await start();
});
afterEach(async () => {
  await s3.close();
});

const put = (Key: string, Body = 'abc') => s3.client.send(new PutObjectCommand({ Bucket, Key, Body }));

describe('notifications of a bucket', () => {
  it('have the form of AWS', async () => {
    s3.notify(notification());

    await put('models/a b+c/ä.tar.gz');

    expect(await s3.records()).toMatchObject([
      {
        eventVersion: '2.1',
        eventSource: 'aws:s3',
        awsRegion: 'us-east-1',
        eventTime: '2026-01-01T00:00:00.000Z',
        eventName: 'ObjectCreated:Put',
        s3: {
          s3SchemaVersion: '1.0',
          configurationId: 'n',
          bucket: { name: 'models', arn: 'arn:aws:s3:::models' },
          object: {
            key: 'models/a+b%2Bc/%C3%A4.tar.gz',
            size: 3,
            eTag: '900150983cd24fb0d6963f7d28e17f72',
            sequencer: expect.stringMatching(/^[0-9A-F]{16}$/),
          },
        },
      },
    ]);
  });

  it('tell how an object came and went, in order', async () => {
    s3.notify(notification(), notification({ event: 's3:ObjectRemoved:*' }));
    await put('a');
    await s3.client.send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/a` }));
    const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'c' }));
    const part = { Bucket, Key: 'c', UploadId, PartNumber: 1 };
    const { ETag } = await s3.client.send(new UploadPartCommand({ ...part, Body: 'abc' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.client.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'c', UploadId, MultipartUpload }));
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await s3.client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'b' }, { Key: 'c' }] } }),
    );

    const records = await s3.records();

    expect(records.map(({ eventName, s3: { object } }) => [eventName, object.key])).toEqual([
      ['ObjectCreated:Put', 'a'],
      ['ObjectCreated:Copy', 'b'],
      ['ObjectCreated:CompleteMultipartUpload', 'c'],
      ['ObjectRemoved:Delete', 'a'],
      ['ObjectRemoved:Delete', 'b'],
      ['ObjectRemoved:Delete', 'c'],
    ]);
    const sequencers = records.map(({ s3: { object } }) => object.sequencer);
    expect(sequencers).toEqual([...new Set(sequencers)].sort());
  });

  it.each([
    [{}, ['models/a.tar.gz', 'models/a.onnx', 'other/a.tar.gz']],
    [{ prefix: 'models/' }, ['models/a.tar.gz', 'models/a.onnx']],
    [{ prefix: 'models/', suffix: '.tar.gz' }, ['models/a.tar.gz']],
    [{ event: 's3:ObjectCreated:Put', suffix: '.onnx' }, ['models/a.onnx']],
    [{ event: 's3:ObjectCreated:Copy' }, []],
    [{ event: 's3:ObjectRemoved:*' }, []],
    [{ bucket: 'another' }, []],
  ])('are those asked for: %j', async (overrides, expected) => {
    s3.notify(notification(overrides));

    for (const key of ['models/a.tar.gz', 'models/a.onnx', 'other/a.tar.gz']) await put(key);

    expect((await s3.records()).map((record) => record.s3.object.key)).toEqual(expected);
  });

  it('come for what is put without HTTP, too', async () => {
    s3.notify(notification());

    await s3.store.put(Bucket, 'seed', Buffer.from('x'));

    expect(await s3.records()).toHaveLength(1);
  });

  it('do not come for a write that failed', async () => {
    s3.notify(notification());
    await put('a');

    const again = new PutObjectCommand({ Bucket, Key: 'a', Body: 'x', IfNoneMatch: '*' });
    await expect(s3.client.send(again)).rejects.toMatchObject({ name: 'PreconditionFailed' });

    expect(await s3.records()).toHaveLength(1);
  });

  it('that cannot be sent are said, and fail no write', async () => {
    s3.notify(notification({ queueName: 'nowhere' }));

    await put('a');
    await s3.records();

    expect(s3.errors).toMatchObject([{ type: 'QueueDoesNotExist' }]);
  });
});

it.each([
  ['a/b c.txt', 'a/b+c.txt'],
  ["(1)~!*'&=?%", '%281%29%7E%21*%27%26%3D%3F%25'],
])('the key %j is told as %j', (key, expected) => {
  expect(encodeKey(key)).toBe(expected);
  expect(decodeURIComponent(expected.replaceAll('+', ' '))).toBe(key);
});

it('sequencers grow though the clock does not, and after a restart', () => {
  let nowMs = T0;
  const next = createSequencer(() => nowMs);
  const first = Array.from({ length: 3 }, () => next());
  nowMs += 1;
  const later = createSequencer(() => nowMs)();

  expect([...first, later].sort()).toEqual([...first, later]);
  expect(new Set(first).size).toBe(3);
});
