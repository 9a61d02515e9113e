import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type ObjectVersion,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type S3Harness, startS3 } from './s3-harness.ts';

let s3: S3Harness;
let Bucket: string;
let buckets = 0;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.close());
beforeEach(async () => {
  Bucket = `versions-${buckets++}`;
  await s3.client.send(new CreateBucketCommand({ Bucket }));
});

const make = (Status: 'Enabled' | 'Suspended') =>
  s3.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));

const put = async (Key: string, Body: string): Promise<string> =>
  (await s3.client.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId ?? 'none';

const get = async (Key: string, VersionId?: string): Promise<string> => {
  const output = await s3.client.send(new GetObjectCommand({ Bucket, Key, VersionId }));
  return (await output.Body?.transformToString()) ?? '';
};

const remove = (Key: string, VersionId?: string) =>
  s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));

/** All versions and delete markers of a key or of the bucket, with their ids, newest first. */
const list = async (Prefix = '') => {
  const { Versions = [], DeleteMarkers = [] } = await s3.client.send(
    new ListObjectVersionsCommand({ Bucket, Prefix }),
  );
  const brief = ({ Key, VersionId, IsLatest }: ObjectVersion) =>
    `${Key} ${VersionId}${IsLatest ? ' latest' : ''}`;
  return { versions: Versions.map(brief), markers: DeleteMarkers.map(brief) };
};

const blobs = async (): Promise<number> => {
  const entries = await readdir(join(s3.directory, 'blobs'), { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).length;
};

describe('versioning of a bucket', () => {
  it('is said only once it was asked for, and kept over a restart', async () => {
    const asked = () => s3.client.send(new GetBucketVersioningCommand({ Bucket }));
    expect((await asked()).Status).toBeUndefined();

    await make('Enabled');
    await s3.restart();
    expect((await asked()).Status).toBe('Enabled');

    await make('Suspended');
    await s3.restart();
    expect((await asked()).Status).toBe('Suspended');
  });

  it.each([
    ['no status', '<VersioningConfiguration/>', 'IllegalVersioningConfigurationException'],
    [
      'an unknown one',
      '<VersioningConfiguration><Status>On</Status></VersioningConfiguration>',
      'MalformedXML',
    ],
    ['no XML', 'Enabled', 'MalformedXML'],
  ])('is not changed by %s', async (_, body, code) => {
    const response = await fetch(`${s3.url}/${Bucket}?versioning`, { method: 'PUT', body });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain(`<Code>${code}</Code>`);
  });

  it('that was never enabled shows nowhere', async () => {
    expect(await put('a', '1')).toBe('none');

    const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'a' }));
    expect(head.VersionId).toBeUndefined();
    expect(await get('a', 'null')).toBe('1');
    expect((await list()).versions).toEqual(['a null latest']);
    expect(await remove('a')).not.toHaveProperty('DeleteMarker');
    expect(await list()).toEqual({ versions: [], markers: [] });
  });
});

describe('a bucket with versions', () => {
  beforeEach(() => make('Enabled'));

  it('keeps every version of an object, over a restart too', async () => {
    const first = await put('a', '1');
    const second = await put('a', '2');
    await s3.restart();
    const third = await put('a', '3');

    expect(await get('a')).toBe('3');
    expect([await get('a', first), await get('a', second), await get('a', third)]).toEqual(['1', '2', '3']);
    expect((await list()).versions).toEqual([`a ${third} latest`, `a ${second}`, `a ${first}`]);
    expect(new Set([first, second, third, 'none']).size).toBe(4);
    const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'a', VersionId: first }));
    expect(head).toMatchObject({ VersionId: first, ContentLength: 1 });
    const page = await s3.client.send(new ListObjectsV2Command({ Bucket }));
    expect(page.Contents).toMatchObject([
      { Key: 'a', ETag: `"${createHash('md5').update('3').digest('hex')}"` },
    ]);
  });

  it('hides an object below a delete marker, and shows it again without', async () => {
    const version = await put('a', '1');

    const deleted = await remove('a');

    expect(deleted).toMatchObject({ DeleteMarker: true, VersionId: expect.any(String) });
    await expect(get('a')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect((await s3.client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    expect(await get('a', version)).toBe('1');
    expect(await list()).toEqual({
      versions: [`a ${version}`],
      markers: [`a ${deleted.VersionId} latest`],
    });

    const undeleted = await remove('a', deleted.VersionId);

    expect(undeleted).toMatchObject({ DeleteMarker: true, VersionId: deleted.VersionId });
    expect(await get('a')).toBe('1');
    expect(await list()).toEqual({ versions: [`a ${version} latest`], markers: [] });
  });

  it.each(['GET', 'HEAD'])('says to %s that a delete marker is there', async (method) => {
    const { VersionId = '' } = await remove('never-was');
    const url = `${s3.url}/${Bucket}/never-was`;

    const current = await fetch(url, { method });
    const named = await fetch(`${url}?versionId=${VersionId}`, { method });

    expect([current.status, named.status]).toEqual([404, 405]);
    for (const { headers } of [current, named]) {
      expect(headers.get('x-amz-delete-marker')).toBe('true');
      expect(headers.get('x-amz-version-id')).toBe(VersionId);
    }
    expect(named.headers.get('allow')).toBe('DELETE');
    expect(named.headers.get('last-modified')).toMatch(/GMT$/);
    if (method === 'HEAD') return;
    expect(await current.text()).toContain('<Code>NoSuchKey</Code>');
    expect(await named.text()).toContain('<Code>MethodNotAllowed</Code>');
  });

  it('removes one version for good, and its bytes; the one before takes the place of the latest', async () => {
    const before = await blobs();
    const first = await put('a', '1');
    const second = await put('a', '2');
    const third = await put('a', '3');

    expect(await remove('a', second)).toMatchObject({ VersionId: second });
    expect(await remove('a', third)).not.toHaveProperty('DeleteMarker');

    expect(await get('a')).toBe('1');
    expect((await list()).versions).toEqual([`a ${first} latest`]);
    expect(await blobs()).toBe(before + 1);
    await expect(get('a', second)).rejects.toMatchObject({
      name: 'NoSuchVersion',
      $metadata: { httpStatusCode: 404 },
    });
    await remove('a', first);
    expect(await blobs()).toBe(before);
    expect(await list()).toEqual({ versions: [], markers: [] });
  });

  it('takes a version that is gone already as removed', async () => {
    const version = await put('a', '1');
    await remove('a', version);

    expect(await remove('a', version)).toMatchObject({ VersionId: version });
  });

  it('does not take the version of one key for that of another', async () => {
    const version = await put('a', '1');
    await put('b', '1');

    await expect(get('b', version)).rejects.toMatchObject({ name: 'NoSuchVersion' });
    await remove('b', version);
    expect(await get('b')).toBe('1');
  });

  it.each([
    ['GET', 'made-up'],
    ['GET', ''],
    ['DELETE', 'made-up'],
    ['PUT', 'null'],
  ])('refuses %s of the version %j', async (method, id) => {
    const response = await fetch(`${s3.url}/${Bucket}/a?versionId=${id}`, { method });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain('<Code>InvalidArgument</Code>');
  });

  it('makes one version of a multipart upload, which ends with the same write', async () => {
    const input = { Bucket, Key: 'large' };
    const { UploadId } = await s3.client.send(new CreateMultipartUploadCommand(input));
    const part = { ...input, UploadId, PartNumber: 1 };
    const { ETag } = await s3.client.send(new UploadPartCommand({ ...part, Body: 'one' }));
    const complete = () =>
      s3.client.send(
        new CompleteMultipartUploadCommand({
          ...input,
          UploadId,
          MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
        }),
      );

    const { VersionId } = await complete();

    expect((await list()).versions).toEqual([`large ${VersionId} latest`]);
    expect(await get('large', VersionId)).toBe('one');
    await expect(complete()).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('checks conditions of a write against the latest version', async () => {
    await put('a', '1');
    const once = () =>
      s3.client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: '2', IfNoneMatch: '*' }));
    await expect(once()).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await remove('a');

    await once();

    expect(await get('a')).toBe('2');
  });

  it('deletes many at once: the latest by a marker, versions for good', async () => {
    const a = await put('a', '1');
    const b = await put('b', '1');
    const marker = (await remove('c')).VersionId;

    const { Deleted = [], Errors } = await s3.client.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: {
          Objects: [
            { Key: 'a' },
            { Key: 'b', VersionId: b },
            { Key: 'c', VersionId: marker },
            { Key: 'd', VersionId: 'made-up' },
          ],
        },
      }),
    );

    expect(Deleted).toMatchObject([
      { Key: 'a', DeleteMarker: true, DeleteMarkerVersionId: expect.any(String) },
      { Key: 'b', VersionId: b },
      { Key: 'c', VersionId: marker, DeleteMarker: true, DeleteMarkerVersionId: marker },
    ]);
    expect(Deleted[1]).not.toHaveProperty('DeleteMarker');
    expect(Errors).toMatchObject([{ Key: 'd', VersionId: 'made-up', Code: 'InvalidArgument' }]);
    expect(await list()).toEqual({
      versions: [`a ${a}`],
      markers: [`a ${Deleted[0]?.DeleteMarkerVersionId} latest`],
    });
  });

  it('is not deleted while it has as much as a delete marker', async () => {
    const { VersionId } = await remove('a');
    const deleteBucket = () => s3.client.send(new DeleteBucketCommand({ Bucket }));
    await expect(deleteBucket()).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    await remove('a', VersionId);

    await deleteBucket();

    await s3.client.send(new CreateBucketCommand({ Bucket }));
    const again = await s3.client.send(new GetBucketVersioningCommand({ Bucket }));
    expect(again.Status).toBeUndefined();
  });

  it('lists its keys no slower for their versions', async () => {
    for (let index = 0; index < 50; index++) await put('a', String(index));
    await remove('b');

    const rows: string[] = [];
    for await (const [key] of s3.store().list(Bucket, {})) rows.push(key);

    expect(rows).toEqual(['a']);
  });
});

describe('the version null', () => {
  it('is what was there before versions were enabled', async () => {
    await put('a', 'old');
    await make('Enabled');

    const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'a' }));
    expect(head.VersionId).toBe('null');

    const version = await put('a', 'new');
    await s3.restart();

    expect(await get('a', 'null')).toBe('old');
    expect((await list()).versions).toEqual([`a ${version} latest`, 'a null']);
    await remove('a', version);
    expect(await get('a')).toBe('old');
  });

  it('is the only one that a bucket with suspended versions writes over', async () => {
    await put('a', 'old');
    await make('Enabled');
    const version = await put('a', 'kept');
    await make('Suspended');
    const before = await blobs();

    expect(await put('a', '1')).toBe('null');
    expect(await put('a', '2')).toBe('null');

    expect(await blobs()).toBe(before);
    expect([await get('a'), await get('a', version)]).toEqual(['2', 'kept']);
    expect((await list()).versions).toEqual(['a null latest', `a ${version}`]);
  });

  it('becomes a delete marker where versions are suspended', async () => {
    await make('Enabled');
    const version = await put('a', 'kept');
    await make('Suspended');
    await put('a', 'lost');

    expect(await remove('a')).toMatchObject({ DeleteMarker: true, VersionId: 'null' });
    await remove('a');

    expect(await list()).toEqual({ versions: [`a ${version}`], markers: ['a null latest'] });
    await remove('a', 'null');
    expect(await get('a')).toBe('kept');
  });
});

const python = process.env['MME_PYTHON'];
describe.skipIf(python === undefined)(
  'boto3, unchanged (MME_PYTHON names an interpreter that has it)',
  () => {
    const SCRIPT = `
import json, sys, boto3
s3 = boto3.resource("s3", endpoint_url=sys.argv[1], region_name="us-east-1",
    aws_access_key_id="local", aws_secret_access_key="local")
bucket = s3.Bucket(sys.argv[2])
bucket.Versioning().enable()
key = "models/a b+ü.tar.gz"
first = bucket.Object(key).put(Body=b"1")["VersionId"]
bucket.Object(key).put(Body=b"2")
bucket.Object(key).copy_from(CopySource={"Bucket": bucket.name, "Key": key, "VersionId": first})
result = {"status": bucket.Versioning().status, "restored": bucket.Object(key).get()["Body"].read().decode()}
client = s3.meta.client
bucket.Object(key).delete()
try:
    bucket.Object(key).get()
except client.exceptions.NoSuchKey as error:
    headers = error.response["ResponseMetadata"]["HTTPHeaders"]
    marker = headers["x-amz-version-id"]
    result["hidden"] = headers["x-amz-delete-marker"]
s3.ObjectVersion(bucket.name, key, marker).delete()
result["back"] = bucket.Object(key).get()["Body"].read().decode()
pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket.name, PaginationConfig={"PageSize": 2})
result["keys"] = [version["Key"] for page in pages for version in page["Versions"]]
bucket.object_versions.delete()
bucket.delete()
print(json.dumps(result))
`;

    it('rolls back, undeletes, pages through versions and empties a bucket', async () => {
      const { stdout } = await promisify(execFile)(python ?? '', ['-c', SCRIPT, s3.url, Bucket], {
        env: { PATH: process.env['PATH'] },
        timeout: 15_000,
      });

      const key = 'models/a b+ü.tar.gz';
      expect(JSON.parse(stdout)).toEqual({
        status: 'Enabled',
        restored: '1',
        hidden: 'true',
        back: '1',
        keys: [key, key, key],
      });
    });
  },
);
