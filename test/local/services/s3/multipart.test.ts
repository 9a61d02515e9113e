import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type S3Harness, startS3 } from './s3-harness.ts';

const PART = 5 * 1024 * 1024;
let s3: S3Harness;
let upload: { Bucket: string; Key: string; UploadId: string };
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.close());
beforeEach(async () => {
  const input = { Bucket: 'models', Key: 'large.tar.gz', ContentType: 'application/gzip' };
  const { UploadId = '' } = await s3.client.send(new CreateMultipartUploadCommand(input));
  upload = { Bucket: 'models', Key: 'large.tar.gz', UploadId };
});

const uploadPart = async (PartNumber: number, Body: Buffer) => {
  const { ETag } = await s3.client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
  return { PartNumber, ETag };
};

const complete = (Parts: readonly { PartNumber: number; ETag: string | undefined }[]) =>
  s3.client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [...Parts] } }));

const md5 = (bytes: Buffer): Buffer => createHash('md5').update(bytes).digest();

describe('a multipart upload', () => {
  it('joins its parts in their order, whatever the order they came in', async () => {
    const [first, second, last] = [Buffer.alloc(PART, 1), Buffer.alloc(PART, 2), Buffer.alloc(7, 3)];
    const parts = [await uploadPart(3, last), await uploadPart(1, first), await uploadPart(2, second)];

    const { ETag } = await complete(parts.sort((a, b) => a.PartNumber - b.PartNumber));

    const joined = createHash('md5')
      .update(Buffer.concat([md5(first), md5(second), md5(last)]))
      .digest('hex');
    expect(ETag).toBe(`"${joined}-3"`);
    const output = await s3.client.send(new GetObjectCommand({ Bucket: 'models', Key: 'large.tar.gz' }));
    const bytes = Buffer.from((await output.Body?.transformToByteArray()) ?? []);
    expect(bytes.equals(Buffer.concat([first, second, last]))).toBe(true);
    expect(output.ContentType).toBe('application/gzip');
  });

  it('takes the last upload of a part, and lists it once', async () => {
    await uploadPart(1, Buffer.from('old'));
    const part = await uploadPart(1, Buffer.from('new'));

    const { Parts } = await s3.client.send(new ListPartsCommand(upload));

    expect(Parts).toMatchObject([{ PartNumber: 1, ETag: part.ETag, Size: 3 }]);
    await complete([part]);
  });

  it.each([
    ['a part that was not uploaded', [2], 'InvalidPart'],
    ['parts out of order', [3, 1], 'InvalidPartOrder'],
    ['a small part before the last', [1, 3], 'EntityTooSmall'],
    ['no parts', [], 'MalformedXML'],
  ])('is not completed with %s', async (_, numbers, name) => {
    const uploaded = new Map([
      [1, await uploadPart(1, Buffer.from('one'))],
      [3, await uploadPart(3, Buffer.from('three'))],
    ]);

    const parts = numbers.map((PartNumber) => uploaded.get(PartNumber) ?? { PartNumber, ETag: '"0"' });

    await expect(complete(parts)).rejects.toMatchObject({ name });
  });

  it('that is aborted is gone', async () => {
    const part = await uploadPart(1, Buffer.from('one'));

    await s3.client.send(new AbortMultipartUploadCommand(upload));

    await expect(complete([part])).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(uploadPart(1, Buffer.from('one'))).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('survives a restart', async () => {
    const part = await uploadPart(1, Buffer.from('one'));

    await s3.restart();

    await complete([part]);
  });
});
