import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ListObjectVersionsCommand, type ListObjectVersionsCommandInput } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type S3Harness, startS3 } from './s3-harness.ts';

let s3: S3Harness;
let bucket: string;
let buckets = 0;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.close());
const nextBucket = async (): Promise<void> => {
  bucket = `list-versions-${buckets++}`;
  await s3.store().createBucket(bucket);
};

interface Entry {
  readonly key: string;
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly isMarker: boolean;
}

/** All pages of a listing, by its markers, and url-encoded because of keys that XML cannot hold. */
const listAll = async (input: Partial<ListObjectVersionsCommandInput> = {}) => {
  const entries: Entry[] = [];
  const prefixes: string[] = [];
  let markers: Partial<ListObjectVersionsCommandInput> | undefined = {};
  while (markers !== undefined) {
    const page: Awaited<ReturnType<typeof send>> = await send({
      EncodingType: 'url',
      ...input,
      ...markers,
    });
    const entry =
      (isMarker: boolean) =>
      ({ Key = '', VersionId: versionId = '', IsLatest: isLatest = false }): Entry => ({
        ...{ key: decodeURIComponent(Key), versionId, isLatest, isMarker },
      });
    const found = [
      ...(page.Versions ?? []).map(entry(false)),
      ...(page.DeleteMarkers ?? []).map(entry(true)),
    ];
    const common = (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix);
    expect(found.length + common.length).toBeLessThanOrEqual(input.MaxKeys ?? 1000);
    entries.push(...found);
    prefixes.push(...common.map(decodeURIComponent));
    const { IsTruncated, NextKeyMarker = '', NextVersionIdMarker: VersionIdMarker } = page;
    const version = VersionIdMarker === undefined ? {} : { VersionIdMarker };
    markers = IsTruncated ? { KeyMarker: decodeURIComponent(NextKeyMarker), ...version } : undefined;
  }
  return { entries: sorted(entries), prefixes };
};

const send = (input: Partial<ListObjectVersionsCommandInput>) =>
  s3.client.send(new ListObjectVersionsCommand({ Bucket: bucket, ...input }));

/** The SDK splits versions from delete markers, so their common order is lost. */
const sorted = (entries: readonly Entry[]): readonly Entry[] =>
  entries.toSorted((a, b) =>
    Buffer.compare(
      Buffer.from(`${a.key}\0${a.isMarker}\0${a.versionId}`),
      Buffer.from(`${b.key}\0${b.isMarker}\0${b.versionId}`),
    ),
  );

const blobs = async (): Promise<number> => {
  const entries = await readdir(join(s3.directory, 'blobs'), { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).length;
};

/** S3's versions, in the plainest way: for each key what was written, newest first. */
class NaiveVersions {
  readonly keys = new Map<string, { versionId: string; text: string | undefined }[]>();

  write(key: string, versionId: string, text: string | undefined): void {
    const others = this.of(key).filter((each) => versionId !== 'null' || each.versionId !== 'null');
    this.keys.set(key, [{ versionId, text }, ...others]);
  }

  remove(key: string, versionId: string): void {
    this.keys.set(
      key,
      this.of(key).filter((each) => each.versionId !== versionId),
    );
  }

  of(key: string) {
    return this.keys.get(key) ?? [];
  }

  entries(): readonly Entry[] {
    return [...this.keys].flatMap(([key, versions]) =>
      versions.map(({ versionId, text }, index) => ({
        ...{ key, versionId, isLatest: index === 0, isMarker: text === undefined },
      })),
    );
  }
}

const KEYS = ['a', 'a/', 'a/b', 'a/b\u0001', 'b', '😀', '￿'];
const step = fc.record({
  action: fc.constantFrom('put', 'put', 'put', 'delete', 'deleteVersion', 'Enabled', 'Suspended', 'restart'),
  key: fc.constantFrom(...KEYS),
  index: fc.nat(20),
});

describe('versions of objects', () => {
  it('are what a plain list of writes has, whatever is written, deleted, suspended and restarted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('', 'a', 'a/'),
        fc.constantFrom('', '/'),
        async (steps, MaxKeys, Prefix, Delimiter) => {
          await nextBucket();
          const blobsBefore = await blobs();
          const naive = new NaiveVersions();
          for (const [number, { action, key, index }] of steps.entries()) {
            if (action === 'restart') await s3.restart();
            else if (action === 'put') {
              const { versionId = 'null' } = await s3.store().put(bucket, key, Buffer.from(`${number}`));
              naive.write(key, versionId, `${number}`);
            } else if (action === 'delete') {
              const { versionId } = await s3.store().delete(bucket, key);
              if (versionId === undefined) naive.remove(key, 'null');
              else naive.write(key, versionId, undefined);
            } else if (action === 'deleteVersion') {
              const versions = naive.of(key);
              const versionId = versions[index % versions.length]?.versionId ?? 'null';
              await s3.store().delete(bucket, key, versionId);
              naive.remove(key, versionId);
            } else await s3.store().setVersioning(bucket, action);
          }

          const below = naive.entries().filter(({ key }) => key.startsWith(Prefix));
          const common = (key: string) => {
            const end = Delimiter === '' ? -1 : key.indexOf(Delimiter, Prefix.length);
            return end < 0 ? [] : [key.slice(0, end + 1)];
          };
          expect(await listAll({ MaxKeys, Prefix, ...(Delimiter && { Delimiter }) })).toEqual({
            entries: sorted(below.filter(({ key }) => common(key).length === 0)),
            prefixes: [...new Set(below.flatMap(({ key }) => common(key)))].sort(),
          });

          for (const [key, versions] of naive.keys) {
            expect(await textOf(await s3.store().get(bucket, key)), key).toBe(versions[0]?.text);
            for (const { versionId, text } of versions) {
              expect(await textOf(await s3.store().getVersion(bucket, key, versionId))).toBe(text);
            }
          }
          const objects = naive.entries().filter(({ isMarker }) => !isMarker);
          expect(await blobs()).toBe(blobsBefore + objects.length);
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
  });

  const textOf = async (version: object | undefined): Promise<string | undefined> => {
    if (version === undefined || !('blobId' in version)) return undefined;
    let text = '';
    for await (const chunk of s3.store().readBlob(String(version.blobId))) text += String(chunk);
    return text;
  };
});

describe('a listing of versions', () => {
  beforeEach(async () => {
    await nextBucket();
    await s3.store().setVersioning(bucket, 'Enabled');
  });

  const put = async (key: string): Promise<string> =>
    (await s3.store().put(bucket, key, Buffer.from(key))).versionId ?? '';

  it('is newest first, and goes on where its markers say', async () => {
    const [first, second, third] = [await put('a'), await put('a'), await put('a')];
    const other = await put('b');

    const one = await send({ MaxKeys: 2 });
    const two = await send({ KeyMarker: 'a', VersionIdMarker: second });
    const three = await send({ KeyMarker: 'a' });

    expect(one).toMatchObject({
      IsTruncated: true,
      NextKeyMarker: 'a',
      NextVersionIdMarker: second,
      Versions: [
        { VersionId: third, IsLatest: true, Size: 1, StorageClass: 'STANDARD', Owner: { ID: 'local' } },
        { VersionId: second, IsLatest: false },
      ],
    });
    expect(two.Versions).toMatchObject([
      { VersionId: first, IsLatest: false },
      { VersionId: other, IsLatest: true },
    ]);
    expect(two.IsTruncated).toBe(false);
    expect(three.Versions).toMatchObject([{ VersionId: other }]);
  });

  it.each([1, 2, 3])('misses nothing when each page of %i is deleted before the next', async (MaxKeys) => {
    const version = await s3.store().put(bucket, 'a', Buffer.from('1'));
    await put('a');
    await s3.store().delete(bucket, 'a');
    await s3.store().setVersioning(bucket, 'Suspended');
    await s3.store().put(bucket, 'a', Buffer.from('null'));
    await s3.store().setVersioning(bucket, 'Enabled');
    for (const key of ['a', 'b', 'b']) await put(key);
    let markers: Partial<ListObjectVersionsCommandInput> | undefined = {};
    const seen: (string | undefined)[] = [];

    while (markers !== undefined) {
      const page: Awaited<ReturnType<typeof send>> = await send({ MaxKeys, ...markers });
      for (const { Key = '', VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
        seen.push(VersionId);
        await s3.store().delete(bucket, Key, VersionId);
      }
      markers = page.IsTruncated
        ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
        : undefined;
    }

    expect(seen).toHaveLength(7);
    expect(seen).toContain(version.versionId);
    await s3.store().deleteBucket(bucket);
  });

  it('says of a version which is the latest also where a page begins behind it', async () => {
    const version = await put('a');
    const { versionId: marker = '' } = await s3.store().delete(bucket, 'a');

    const behind = await send({ KeyMarker: 'a', VersionIdMarker: marker });
    expect(behind.Versions).toMatchObject([{ VersionId: version, IsLatest: false }]);

    await s3.store().delete(bucket, 'a', marker);
    const after = await send({ KeyMarker: 'a', VersionIdMarker: marker });
    expect(after.Versions).toMatchObject([{ VersionId: version, IsLatest: true }]);
  });

  it.each([
    ['a version without its key', { VersionIdMarker: 'null' }],
    ['a version that cannot be', { KeyMarker: 'a', VersionIdMarker: 'made-up' }],
  ])('does not begin at %s', async (_, markers) => {
    await expect(send(markers)).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});
