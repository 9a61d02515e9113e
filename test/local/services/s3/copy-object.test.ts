import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3Harness, startS3 } from './s3-harness.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const Bucket = 'versioned';
let s3: S3Harness;
beforeAll(async () => {
  s3 = await startS3({ now: () => NOW_MS });
  await s3.client.send(new CreateBucketCommand({ Bucket }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await s3.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
});
afterAll(() => s3.close());

const put = async (Key: string, Body: string): Promise<string> => {
  const input = { Bucket, Key, Body, ContentType: 'application/gzip', Metadata: { team: 'churn' } };
  return (await s3.client.send(new PutObjectCommand(input))).VersionId ?? '';
};

const copy = (Key: string, CopySource: string, input: Partial<CopyObjectCommandInput> = {}) =>
  s3.client.send(new CopyObjectCommand({ Bucket, Key, CopySource, ...input }));

const get = async (Key: string) => {
  const output = await s3.client.send(new GetObjectCommand({ Bucket, Key }));
  return { ...output, text: await output.Body?.transformToString() };
};

const etag = (text: string): string => `"${createHash('md5').update(text).digest('hex')}"`;

describe('a copy', () => {
  it('brings an earlier version of an object back, as a new version', async () => {
    const first = await put('model', '1');
    const second = await put('model', '2');

    const copied = await copy('model', `${Bucket}/model?versionId=${first}`);

    expect(copied).toMatchObject({ CopySourceVersionId: first, CopyObjectResult: { ETag: etag('1') } });
    expect([first, second]).not.toContain(copied.VersionId);
    expect(await get('model')).toMatchObject({ text: '1', VersionId: copied.VersionId });
  });

  it.each([
    ['COPY', { team: 'churn' }, 'application/gzip'],
    ['REPLACE', { from: 'test' }, 'text/plain'],
  ] as const)(
    'with the directive %s has the metadata of its own choice',
    async (directive, metadata, type) => {
      await put('from', '1');

      await copy('to', `/${Bucket}/from`, {
        MetadataDirective: directive,
        Metadata: { from: 'test' },
        ContentType: 'text/plain',
      });

      expect(await get('to')).toMatchObject({ text: '1', Metadata: metadata, ContentType: type });
    },
  );

  it.each([
    ['ü 1+2%?&=.gz', encodeURIComponent],
    ['a/b c', (key: string) => key.replaceAll(' ', '%20')],
  ])('finds its source by the key %j', async (key, encode) => {
    const version = await put(key, key);

    await copy('to', `${Bucket}/${encode(key)}`);
    await copy('to-version', encodeURIComponent(`${Bucket}/${key}`).replace(/$/, `?versionId=${version}`));

    expect([(await get('to')).text, (await get('to-version')).text]).toEqual([key, key]);
  });

  it('of nothing is empty', async () => {
    await put('empty', '');

    await copy('to', `${Bucket}/empty`);

    expect((await get('to')).text).toBe('');
  });

  it.each([
    ['the ETag is another', { CopySourceIfMatch: etag('other') }],
    ['the ETag is excluded', { CopySourceIfNoneMatch: etag('1') }],
    ['it was not modified since', { CopySourceIfModifiedSince: new Date(NOW_MS) }],
    ['it was modified since', { CopySourceIfUnmodifiedSince: new Date(NOW_MS - 1000) }],
    ['the target exists', { IfNoneMatch: '*' }],
    ['the target is another', { IfMatch: etag('other') }],
  ])('is not made when %s', async (_, input) => {
    await put('from', '1');
    await put('to', 'before');

    await expect(copy('to', `${Bucket}/from`, input)).rejects.toMatchObject({ name: 'PreconditionFailed' });

    expect((await get('to')).text).toBe('before');
  });

  it.each([
    ['the ETag is right', { CopySourceIfMatch: etag('1') }],
    [
      'the ETag is right, whatever the time',
      {
        CopySourceIfMatch: etag('1'),
        CopySourceIfUnmodifiedSince: new Date(NOW_MS - 1000),
      },
    ],
    ['it was modified since', { CopySourceIfModifiedSince: new Date(NOW_MS - 1000) }],
    ['the target is what was seen', { IfMatch: etag('before') }],
  ])('is made when %s', async (_, input) => {
    await put('from', '1');
    await put('to', 'before');

    await copy('to', `${Bucket}/from`, input);

    expect((await get('to')).text).toBe('1');
  });

  it('of an object to itself is refused, unless it changes something', async () => {
    const version = await put('self', '1');

    await expect(copy('self', `${Bucket}/self`)).rejects.toMatchObject({ name: 'InvalidRequest' });

    await copy('self', `${Bucket}/self`, { MetadataDirective: 'REPLACE' });
    await copy('self', `${Bucket}/self?versionId=${version}`);
  });

  it('is refused for a source that is not there', async () => {
    const version = await put('gone', '1');
    await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'gone', VersionId: version }));
    await put('hidden', '1');
    const { VersionId } = await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'hidden' }));

    const refused = async (source: string, name: string) =>
      expect(copy('to', source), source).rejects.toMatchObject({ name });

    await refused(`${Bucket}/none`, 'NoSuchKey');
    await refused('nothing/none', 'NoSuchBucket');
    await refused(`${Bucket}/gone?versionId=${version}`, 'NoSuchVersion');
    await refused(`${Bucket}/gone?versionId=made-up`, 'InvalidArgument');
    await refused(`${Bucket}/hidden`, 'NoSuchKey');
    await refused(`${Bucket}/hidden?versionId=${VersionId}`, 'InvalidRequest');
    await refused('no-key', 'InvalidArgument');
    await refused(`${Bucket}/%zz`, 'InvalidArgument');
  });

  it('is refused with a directive that there is not', async () => {
    await put('from', '1');
    const headers = { 'x-amz-copy-source': `${Bucket}/from`, 'x-amz-metadata-directive': 'MERGE' };

    const response = await fetch(`${s3.url}/${Bucket}/to`, { method: 'PUT', headers });

    expect(await response.text()).toContain('<Code>InvalidArgument</Code>');
  });
});
