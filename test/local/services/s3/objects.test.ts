import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderInUse, openS3 } from '../../../../local/services/s3/s3.ts';
import { type S3Harness, startS3 } from './s3-harness.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
let s3: S3Harness;
beforeAll(async () => {
  s3 = await startS3({ now: () => NOW_MS });
});
afterAll(() => s3.close());

const put = (Key: string, Body: string | Readable, input: Partial<PutObjectCommandInput> = {}) =>
  s3.client.send(new PutObjectCommand({ Bucket: 'models', Key, Body, ...input }));

const get = async (Key: string, input: Partial<GetObjectCommandInput> = {}) => {
  const output = await s3.client.send(new GetObjectCommand({ Bucket: 'models', Key, ...input }));
  return { ...output, text: (await output.Body?.transformToString()) ?? '' };
};

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const blobs = async (): Promise<number> => {
  const entries = await readdir(join(s3.directory, 'blobs'), { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).length;
};

describe('objects, by an unchanged SDK', () => {
  it('come back as they were put', async () => {
    const { ETag } = await put('a.txt', 'hello', {
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      Metadata: { team: 'churn' },
    });

    expect(ETag).toBe(`"${md5('hello')}"`);
    expect(await get('a.txt')).toMatchObject({
      text: 'hello',
      ETag,
      ContentLength: 5,
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      Metadata: { team: 'churn' },
      LastModified: new Date(NOW_MS),
      AcceptRanges: 'bytes',
    });
  });

  it.each([
    '../../etc/passwd',
    'a/../b',
    '/leading',
    'trailing/',
    'übung 1+2%20?&=.tar.gz',
    '日本',
    '.',
    'a//b',
  ])('may have the key %j, which is never a path', async (key) => {
    await put(key, key);

    expect((await get(key)).text).toBe(key);
    await s3.client.send(new DeleteObjectCommand({ Bucket: 'models', Key: key }));
    await expect(get(key)).rejects.toMatchObject({ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } });
  });

  it('come in a stream, which the SDK sends aws-chunked with a trailing checksum', async () => {
    const parts = Array.from({ length: 50 }, (_, index) => Buffer.alloc(10_000, index));

    await put('stream', Readable.from(parts), { ContentLength: 500_000 });

    const output = await s3.client.send(
      new GetObjectCommand({ Bucket: 'models', Key: 'stream', ChecksumMode: 'ENABLED' }),
    );
    expect(Buffer.from((await output.Body?.transformToByteArray()) ?? []).equals(Buffer.concat(parts))).toBe(
      true,
    );
    expect(output.ChecksumCRC32).toBeDefined();
    expect(output.ContentEncoding).toBeUndefined();
  });

  it('may be empty', async () => {
    await put('empty', '');

    expect(await get('empty')).toMatchObject({ text: '', ContentLength: 0 });
  });

  it.each([
    ['bytes=0-1', 'he', 'bytes 0-1/5'],
    ['bytes=3-', 'lo', 'bytes 3-4/5'],
    ['bytes=-2', 'lo', 'bytes 3-4/5'],
    ['bytes=1-99', 'ello', 'bytes 1-4/5'],
  ])('are read in part: %s', async (Range, text, contentRange) => {
    await put('ranged', 'hello');

    expect(await get('ranged', { Range })).toMatchObject({
      text,
      ContentRange: contentRange,
      ContentLength: text.length,
      $metadata: { httpStatusCode: 206 },
    });
  });

  it('refuse a range behind their end', async () => {
    await put('ranged', 'hello');

    await expect(get('ranged', { Range: 'bytes=5-' })).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('are not sent again to who has them', async () => {
    const { ETag = '' } = await put('known', 'hello');

    await expect(get('known', { IfNoneMatch: ETag })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    await expect(get('known', { IfModifiedSince: new Date(NOW_MS) })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    expect((await get('known', { IfNoneMatch: '"other"' })).text).toBe('hello');
    await expect(get('known', { IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  it('are described without their body', async () => {
    await put('head', 'hello');

    const output = await s3.client.send(new HeadObjectCommand({ Bucket: 'models', Key: 'head' }));

    expect(output).toMatchObject({ ContentLength: 5, ETag: `"${md5('hello')}"` });
    await expect(
      s3.client.send(new HeadObjectCommand({ Bucket: 'models', Key: 'none' })),
    ).rejects.toMatchObject({ name: 'NotFound' });
  });

  it('are written on condition', async () => {
    await put('once', 'first', { IfNoneMatch: '*' });

    await expect(put('once', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    await expect(put('once', 'second', { IfMatch: '"other"' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    await put('once', 'third', { IfMatch: `"${md5('first')}"` });

    expect((await get('once')).text).toBe('third');
  });

  it('are created by only one of many who ask at once', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => put('raced', String(index), { IfNoneMatch: '*' })),
    );

    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)('are verified by %s', async (ChecksumAlgorithm) => {
    await put('checked', '123456789', { ChecksumAlgorithm });

    const head = await s3.client.send(
      new HeadObjectCommand({ Bucket: 'models', Key: 'checked', ChecksumMode: 'ENABLED' }),
    );
    // Check values of the algorithms for "123456789": CRC-32 cbf43926, CRC-32C e3069283.
    const known: Partial<Record<string, string>> = { CRC32: 'y/Q5Jg==', CRC32C: '4waSgw==' };
    const came = head[`Checksum${ChecksumAlgorithm}`];
    expect(came).toBe(
      known[ChecksumAlgorithm] ?? createHash(ChecksumAlgorithm).update('123456789').digest('base64'),
    );
  });

  it.each([
    ['a wrong CRC32', { ChecksumCRC32: 'AAAAAA==' }],
    ['a wrong SHA256', { ChecksumSHA256: createHash('sha256').update('other').digest('base64') }],
    ['a wrong Content-MD5', { ContentMD5: createHash('md5').update('other').digest('base64') }],
  ])('with %s are refused, and nothing is stored', async (_, input) => {
    const before = await blobs();

    await expect(put('wrong', 'hello', input)).rejects.toMatchObject({ name: 'BadDigest' });

    await expect(get('wrong')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(await blobs()).toBe(before);
  });

  it('are copied', async () => {
    await put('from ü', 'hello', { Metadata: { team: 'churn' } });

    await s3.client.send(
      new CopyObjectCommand({ Bucket: 'models', Key: 'to', CopySource: encodeURI('models/from ü') }),
    );

    expect(await get('to')).toMatchObject({ text: 'hello', Metadata: { team: 'churn' } });
  });

  it('are deleted many at once, those that do not exist included', async () => {
    await put('d1', '1');
    await put('d<2>&', '2');

    const { Deleted } = await s3.client.send(
      new DeleteObjectsCommand({
        Bucket: 'models',
        Delete: { Objects: [{ Key: 'd1' }, { Key: 'd<2>&' }, { Key: 'none' }] },
      }),
    );

    expect(Deleted?.map(({ Key }) => Key)).toEqual(['d1', 'd<2>&', 'none']);
    await expect(get('d<2>&')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('leave no bytes behind when replaced or deleted', async () => {
    const before = await blobs();

    await put('churned', '1');
    await put('churned', '2');
    await s3.client.send(new DeleteObjectCommand({ Bucket: 'models', Key: 'churned' }));

    expect(await blobs()).toBe(before);
  });

  it('survive a restart, while bytes that nobody owns do not', async () => {
    await put('kept', 'hello');
    const [folder = ''] = await readdir(join(s3.directory, 'blobs'));
    await writeFile(join(s3.directory, 'blobs', folder, 'orphan'), 'x');
    const before = await blobs();

    await s3.restart();

    expect((await get('kept')).text).toBe('hello');
    expect(await blobs()).toBe(before - 1);
  });
});

describe('buckets', () => {
  it('are made, listed and deleted when empty', async () => {
    await s3.client.send(new CreateBucketCommand({ Bucket: 'second' }));

    const { Buckets } = await s3.client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['models', 'second']);
    await s3.client.send(new HeadBucketCommand({ Bucket: 'second' }));
    await s3.client.send(new DeleteBucketCommand({ Bucket: 'second' }));
    await expect(s3.client.send(new HeadBucketCommand({ Bucket: 'second' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
  });

  it.each([
    ['a bad name', new CreateBucketCommand({ Bucket: 'UPPER' }), 'InvalidBucketName'],
    ['a second of the name', new CreateBucketCommand({ Bucket: 'models' }), 'BucketAlreadyOwnedByYou'],
  ])('are refused with %s', async (_, command, name) => {
    await expect(s3.client.send(command)).rejects.toMatchObject({ name });
  });

  it('that have objects are not deleted', async () => {
    await put('stays', '1');

    await expect(s3.client.send(new DeleteBucketCommand({ Bucket: 'models' }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    });
  });

  it('that do not exist are said not to', async () => {
    await expect(s3.client.send(new GetObjectCommand({ Bucket: 'nothing', Key: 'a' }))).rejects.toMatchObject(
      { name: 'NoSuchBucket' },
    );
    await expect(
      s3.client.send(new PutObjectCommand({ Bucket: 'nothing', Key: 'a', Body: 'a' })),
    ).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});

describe('the folder', () => {
  it('is open in one process at a time', async () => {
    const second = openS3({ directory: s3.directory, now: Date.now });

    await expect(second).rejects.toBeInstanceOf(FolderInUse);
    await expect(second).rejects.toThrow(s3.directory);
  });
});

describe('what the SDK never sends', () => {
  const send = (path: string, init: RequestInit = {}) => fetch(s3.url + path, init);

  it('is an aws-chunked body with signed chunks: its framing is taken off', async () => {
    const body =
      '5;chunk-signature=00\r\nhello\r\n6;chunk-signature=00\r\n world\r\n0;chunk-signature=00\r\n\r\n';
    const headers = {
      'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'x-amz-decoded-content-length': '11',
      'content-encoding': 'aws-chunked,gzip',
    };

    expect((await send('/models/chunked', { method: 'PUT', body, headers })).status).toBe(200);

    const output = await s3.client.send(new HeadObjectCommand({ Bucket: 'models', Key: 'chunked' }));
    expect(output).toMatchObject({ ContentLength: 11, ContentEncoding: 'gzip' });
  });

  it.each([
    ['that ends inside a chunk', 'ff\r\nhello'],
    ['without its last chunk', '5\r\nhello\r\n'],
    ['with a chunk longer than announced', '2\r\nhello\r\n0\r\n\r\n'],
    ['with no chunk header', 'hello'],
  ])('is an aws-chunked body %s: it is refused', async (_, body) => {
    const headers = { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' };

    const response = await send('/models/broken', { method: 'PUT', body, headers });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain('<Code>IncompleteBody</Code>');
  });

  it('is a body that is not what its SHA-256 says', async () => {
    const headers = { 'x-amz-content-sha256': '0'.repeat(64) };

    const response = await send('/models/broken', { method: 'PUT', body: 'hello', headers });

    expect(await response.text()).toContain('<Code>XAmzContentSHA256Mismatch</Code>');
  });

  it.each([
    ['GET', '/models?acl', 501, 'NotImplemented'],
    ['PUT', '/models/a?tagging', 501, 'NotImplemented'],
    ['PATCH', '/models/a', 405, 'MethodNotAllowed'],
    ['GET', `/models/${'k'.repeat(1025)}`, 400, 'KeyTooLongError'],
    ['GET', '/models/%zz', 400, 'InvalidArgument'],
    ['POST', '/models?delete', 400, 'MalformedXML'],
  ])('is %s %s: %i %s', async (method, path, status, code) => {
    const response = await send(path, { method });

    expect(response.status).toBe(status);
    expect(await response.text()).toContain(`<Code>${code}</Code>`);
  });

  it('is a presigned URL: it holds until it expires', async () => {
    await put('presigned', 'hello');
    const query = (date: string) => `?X-Amz-Date=${date}&X-Amz-Expires=60&X-Amz-Signature=00`;

    expect(await (await send(`/models/presigned${query('20260102T030330Z')}`)).text()).toBe('hello');
    expect((await send(`/models/presigned${query('20260102T030300Z')}`)).status).toBe(403);
    const version2 = (seconds: number) =>
      `/models/presigned?AWSAccessKeyId=local&Signature=00&Expires=${seconds}`;
    expect((await send(version2(NOW_MS / 1000 + 1))).status).toBe(200);
    expect((await send(version2(NOW_MS / 1000 - 1))).status).toBe(403);
  });
});
