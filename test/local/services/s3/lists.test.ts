import { ListObjectsCommand, ListObjectsV2Command, type ListObjectsV2CommandInput } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3Harness, startS3 } from './s3-harness.ts';

let s3: S3Harness;
let buckets = 0;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.close());

const bucketWith = async (keys: readonly string[]): Promise<string> => {
  const bucket = `list-${buckets++}`;
  await s3.store().createBucket(bucket);
  for (const key of keys) await s3.store().put(bucket, key, Buffer.from('x'));
  return bucket;
};

/** All pages of a listing, by continuation. */
const listAll = async (input: ListObjectsV2CommandInput) => {
  const keys: string[] = [];
  const prefixes: string[] = [];
  const pageSizes: number[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.client.send(
      new ListObjectsV2Command({
        ...input,
        ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
      }),
    );
    keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
    prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix));
    pageSizes.push(page.KeyCount ?? 0);
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  return { keys, prefixes, pageSizes };
};

/** What a listing should be, computed in the plainest way. */
const expectedList = (all: readonly string[], prefix: string, delimiter: string) => {
  const sorted = [...new Set(all)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const below = sorted.filter((key) => key.startsWith(prefix));
  const common = (key: string): string | undefined => {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    return end < 0 ? undefined : key.slice(0, end + delimiter.length);
  };
  return {
    keys: below.filter((key) => common(key) === undefined),
    prefixes: [...new Set(below.flatMap((key) => common(key) ?? []))],
  };
};

describe('a listing', () => {
  it('is the same whatever the size of its pages, and what a plain filter of all keys gives', async () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'ü', '!'), minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(key, { maxLength: 15 }),
        fc.constantFrom('', 'a', 'a/', 'ü'),
        fc.constantFrom('', '/', 'b'),
        fc.integer({ min: 1, max: 5 }),
        async (keys, Prefix, Delimiter, MaxKeys) => {
          const Bucket = await bucketWith(keys);

          const { pageSizes, ...listed } = await listAll({
            Bucket,
            Prefix,
            MaxKeys,
            ...(Delimiter && { Delimiter }),
          });

          expect(listed).toEqual(expectedList(keys, Prefix, Delimiter));
          expect(Math.max(...pageSizes)).toBeLessThanOrEqual(MaxKeys);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('has at most 1,000 keys a page', async () => {
    const keys = Array.from({ length: 1002 }, (_, index) => `m-${String(index).padStart(4, '0')}`);

    const { keys: listed, pageSizes } = await listAll({ Bucket: await bucketWith(keys), MaxKeys: 5000 });

    expect(pageSizes).toEqual([1000, 2]);
    expect(listed).toEqual(keys);
  });

  it('starts after a key', async () => {
    const Bucket = await bucketWith(['a', 'b', 'c']);

    expect((await listAll({ Bucket, StartAfter: 'a' })).keys).toEqual(['b', 'c']);
  });

  it('carries keys that XML cannot hold, url-encoded', async () => {
    const keys = ['a\u0001b', 'c d+e%', 'f&<g>'];
    const Bucket = await bucketWith(keys);

    const page = await s3.client.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));

    const decoded = page.Contents?.map(({ Key = '' }) => decodeURIComponent(Key.replaceAll('+', ' ')));
    expect(decoded).toEqual(keys);
  });

  it('does not show the keys of a bucket whose name goes on', async () => {
    await s3.store().createBucket('pre');
    await s3.store().createBucket('prefix');
    await s3.store().put('prefix', 'a', Buffer.from('x'));

    expect((await listAll({ Bucket: 'pre' })).keys).toEqual([]);
  });

  it('refuses a token that it did not give', async () => {
    const Bucket = await bucketWith([]);

    await expect(
      s3.client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: 'made-up' })),
    ).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  it('of the first version goes on by marker', async () => {
    const Bucket = await bucketWith(['a/1', 'a/2', 'b', 'c']);

    const first = await s3.client.send(new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 1 }));
    const second = await s3.client.send(
      new ListObjectsCommand({ Bucket, Delimiter: '/', Marker: first.NextMarker ?? '' }),
    );

    expect(first.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['a/']);
    expect(first.IsTruncated).toBe(true);
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(['b', 'c']);
    expect(second.IsTruncated).toBe(false);
  });
});
