import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractArtifact } from '../../../lib/archive/extract.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';
import { type TarEntry, tar, tarGz } from '../../fixtures/tar-archive.ts';

const scratch = scratchFolder();
const LIMITS = { maxUnpackedBytes: 100_000, maxEntries: 10 };

/** A source that counts what is read of it, and knows whether it was let go. */
const sourceOf = (
  bytes: Uint8Array,
  { chunkBytes = 64 * 1024, failAfterChunks = Number.POSITIVE_INFINITY } = {},
) => {
  const seen = { readBytes: 0, isClosed: false };
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (let at = 0, chunk = 0; at < bytes.length; at += chunkBytes, chunk++) {
        if (chunk >= failAfterChunks) throw new Error('connection reset');
        const part = bytes.subarray(at, at + chunkBytes);
        seen.readBytes += part.length;
        yield part;
      }
    } finally {
      seen.isClosed = true;
    }
  }
  return { seen, source: read() };
};

const extract = (
  source: AsyncIterable<Uint8Array>,
  { name = 'm.tar.gz', limits = LIMITS } = {},
): Promise<number> => extractArtifact({ name, source, directory: join(scratch.path, 'model'), limits });

const extractEntries = (entries: readonly TarEntry[]): Promise<number> =>
  extract(sourceOf(tarGz(entries)).source);

const expectRefusal = async (extraction: Promise<number>, message: RegExp): Promise<void> => {
  await expect(extraction).rejects.toMatchObject({
    code: 'ModelError',
    status: 424,
    message: expect.stringMatching(message),
  });
  expect(await readdir(scratch.path)).toEqual([]);
};

describe('extractArtifact', () => {
  it('unpacks files and the folders they need', async () => {
    const sizeBytes = await extractEntries([
      { path: './', flag: '5' },
      { path: './model.onnx', content: 'weights' },
      { path: 'a/b/labels.txt', content: 'x\ny' },
      { path: 'empty' },
    ]);

    const directory = join(scratch.path, 'model');
    expect(sizeBytes).toBe(10);
    expect((await readdir(directory)).sort()).toEqual(['a', 'empty', 'model.onnx']);
    expect(await readFile(join(directory, 'model.onnx'), 'utf8')).toBe('weights');
    expect(await readFile(join(directory, 'a/b/labels.txt'), 'utf8')).toBe('x\ny');
    expect(await readdir(scratch.path)).toEqual(['model']);
  });

  it('unpacks the same files however the bytes are cut', async () => {
    const content = randomBytes(5000);
    const archive = tarGz([
      { path: 'model.onnx', content },
      { path: 'b', content: 'b' },
    ]);

    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), async (chunkBytes) => {
        const directory = join(scratch.path, randomUUID());
        const { source } = sourceOf(archive, { chunkBytes });
        await extractArtifact({ name: 'm.tar.gz', source, directory, limits: LIMITS });
        expect(content.equals(await readFile(join(directory, 'model.onnx')))).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('unpacks long names in pax headers', async () => {
    const path = `${'d'.repeat(120)}/model.onnx`;
    const record = ` path=${path}\n`;
    const pax = `${record.length + 3}${record}`;

    await extractEntries([
      { path: 'pax', flag: 'x', content: pax },
      { path: 'short', content: 'w' },
    ]);

    expect(await readFile(join(scratch.path, 'model', path), 'utf8')).toBe('w');
  });

  it('stores a bare .onnx object as model.onnx', async () => {
    expect(await extract(sourceOf(Buffer.from('weights')).source, { name: 'a/churn.onnx' })).toBe(7);

    expect(await readFile(join(scratch.path, 'model', 'model.onnx'), 'utf8')).toBe('weights');
  });
});

describe('an attack by archive', () => {
  it.each<[string, readonly TarEntry[], RegExp]>([
    ['an absolute path', [{ path: '/tmp/evil', content: 'x' }], /entry "\/tmp\/evil": its path is absolute/],
    ['a path that climbs out', [{ path: '../evil', content: 'x' }], /entry "\.\.\/evil": its path leaves/],
    ['a path that climbs out later', [{ path: 'a/../../evil', content: 'x' }], /its path leaves/],
    [
      'a symbolic link',
      [{ path: 'link', flag: '2', linkTarget: '/etc' }],
      /entry "link": it is a SymbolicLink/,
    ],
    [
      'a file written through a symbolic link',
      [
        { path: 'd', flag: '2', linkTarget: '/tmp' },
        { path: 'd/evil', content: 'x' },
      ],
      /it is a SymbolicLink/,
    ],
    [
      'a hard link to a secret',
      [{ path: 'model.onnx', flag: '1', linkTarget: '/proc/self/environ' }],
      /entry "model.onnx": it is a Link/,
    ],
    ['a character device', [{ path: 'null', flag: '3' }], /it is a CharacterDevice/],
    ['a block device', [{ path: 'sda', flag: '4' }], /it is a BlockDevice/],
    ['a pipe', [{ path: 'pipe', flag: '6' }], /it is a FIFO/],
    ['a type nobody knows', [{ path: 'odd', flag: '~', content: 'x' }], /entry "odd"/],
    [
      'the same name twice',
      [
        { path: 'model.onnx', content: 'good' },
        { path: './model.onnx', content: 'evil' },
      ],
      /another entry has the same name/,
    ],
    [
      'names that differ only in case',
      [
        { path: 'model.onnx', content: 'good' },
        { path: 'MODEL.onnx', content: 'evil' },
      ],
      /another entry has the same name/,
    ],
    [
      'a control character',
      [{ path: 'a\nb', content: 'x' }],
      /entry "a\\nb": its path has control characters/,
    ],
    [
      'more entries than allowed',
      Array.from({ length: 11 }, (_, i) => ({ path: `f${i}` })),
      /more than 10 entries/,
    ],
    [
      'more bytes than allowed',
      [{ path: 'a', content: Buffer.alloc(100_001) }],
      /unpacks to more than 100000 bytes/,
    ],
  ])('is refused: %s', async (_, entries, message) => {
    await expectRefusal(extractEntries(entries), message);
  });

  it('is refused: a path that climbs out in a pax header', async () => {
    await expectRefusal(
      extractEntries([
        { path: 'pax', flag: 'x', content: '16 path=../evil\n' },
        { path: 'harmless', content: 'x' },
      ]),
      /entry "\.\.\/evil": its path leaves/,
    );
  });

  it('is refused: a pax header of megabytes, which tar would pass over with no word', async () => {
    const archive = tarGz([
      { path: 'pax', flag: 'x', content: Buffer.alloc(2 ** 21) },
      { path: 'model.onnx' },
    ]);

    await expectRefusal(
      extract(sourceOf(archive).source, { limits: { maxUnpackedBytes: 2 ** 23, maxEntries: 10 } }),
      /entry "pax": it is a ExtendedHeader that cannot be read/,
    );
  });

  it('is refused: a bomb without an end', async () => {
    function* endless(): Generator<Buffer> {
      yield tar([{ path: 'a', content: 'x' }]).subarray(0, 1024);
      for (;;) yield Buffer.alloc(2 ** 16);
    }

    await expectRefusal(extract(Readable.from(endless()).pipe(createGzip())), /unpacks to more than/);
  });

  it('is refused: a bomb by its ratio, long before its bound on bytes', async () => {
    const bomb = tarGz([{ path: 'model.onnx', content: Buffer.alloc(40_000_000) }]);
    const limits = { ...LIMITS, maxUnpackedBytes: 1e9 };

    await expectRefusal(
      extract(sourceOf(bomb, { chunkBytes: 1024 }).source, { limits }),
      /unpacks to more than 200 times its size/,
    );
  });

  it('takes what compresses well without being a bomb', async () => {
    const vocabulary = Array.from({ length: 300_000 }, (_, index) => `word-${index % 5000}`).join('\n');
    const limits = { ...LIMITS, maxUnpackedBytes: 1e9 };

    const archive = tarGz([{ path: 'model.onnx', content: vocabulary }]);

    expect(await extract(sourceOf(archive).source, { limits })).toBe(vocabulary.length);
  });

  it('adds what is to complete the folder before there is one, and nothing when that fails', async () => {
    const archive = tarGz([{ path: 'model.onnx', content: 'x' }]);
    const complete = async (): Promise<number> => {
      expect((await readdir(scratch.path)).every((name) => name.startsWith('model.tmp-'))).toBe(true);
      return 41;
    };
    const directory = join(scratch.path, 'model');

    const sizeBytes = await extractArtifact({
      name: 'm.tar.gz',
      source: sourceOf(archive).source,
      directory,
      limits: LIMITS,
      complete,
    });
    expect(sizeBytes).toBe(42);

    const failing = extractArtifact({
      name: 'm.tar.gz',
      source: sourceOf(archive).source,
      directory: `${directory}-2`,
      limits: LIMITS,
      complete: () => Promise.reject(new Error('no weights')),
    });
    await expect(failing).rejects.toThrow('no weights');
    expect(await readdir(scratch.path)).toEqual(['model']);
  });

  it('is refused: a tar that is gzipped twice, whose inside would pass the bound', async () => {
    const inside = tarGz([{ path: 'a', content: randomBytes(2000) }]);

    await expectRefusal(extract(sourceOf(gzipSync(inside)).source), /gzipped twice/);
    await expectRefusal(extract(sourceOf(gzipSync(inside), { chunkBytes: 1 }).source), /gzipped twice/);
  });

  it('stops reading the source at the first bad entry', async () => {
    const archive = tarGz([{ path: '../evil' }, { path: 'model.onnx', content: randomBytes(2_000_000) }]);
    const { source, seen } = sourceOf(archive, { chunkBytes: 4096 });

    await expectRefusal(extract(source), /leaves the archive/);

    // What streams hold between them has been read ahead; the rest of the 2 MB has not.
    expect(seen.readBytes).toBeLessThan(300_000);
    expect(seen.isClosed).toBe(true);
  });
});

describe('a damaged artifact', () => {
  const good = tarGz([{ path: 'model.onnx', content: randomBytes(20_000) }]);
  const flipped = Buffer.from(good);
  flipped[good.length >> 1] = (flipped[good.length >> 1] ?? 0) ^ 0xff;
  const plain = tar([{ path: 'model.onnx', content: 'weights' }]);
  const badHeader = Buffer.from(plain);
  badHeader[0] = 0x41;

  it.each<[string, Uint8Array]>([
    ['nothing', Buffer.alloc(0)],
    ['no gzip', Buffer.from('this is not an archive at all')],
    ['a tar without gzip', plain],
    ['half an archive', good.subarray(0, good.length >> 1)],
    ['an archive without its last byte', good.subarray(0, -1)],
    ['a flipped byte', flipped],
    ['bytes after the end', Buffer.concat([good, Buffer.from('more')])],
    ['gzip of something else', gzipSync(randomBytes(4096))],
    ['gzip of nothing', gzipSync('')],
    ['a header with a wrong checksum', gzipSync(badHeader)],
    [
      'a tar that ends inside a file',
      gzipSync(tar([{ path: 'a', content: 'x'.repeat(2000) }]).subarray(0, 1024)),
    ],
    ['a size that is not there', gzipSync(tar([{ path: 'a', content: 'x', sizeBytes: 90_000 }]))],
  ])('is refused: %s', async (_, bytes) => {
    await expectRefusal(extract(sourceOf(bytes).source), /pack it/);
  });

  it('is refused wherever it is cut off', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: good.length - 1 }), async (length) => {
        await expectRefusal(extract(sourceOf(good.subarray(0, length)).source), /pack it/);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves no file open', async () => {
    const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length;
    const before = await openFiles();

    for (let round = 0; round < 50; round++) {
      await expect(extract(sourceOf(good.subarray(0, -100)).source)).rejects.toThrow();
    }

    expect(await openFiles()).toBeLessThanOrEqual(before + 2);
  });
});

describe('a source that fails', () => {
  it.each(['m.tar.gz', 'm.onnx'])(
    'fails the load of %s with its own error, and leaves nothing',
    async (name) => {
      const { source, seen } = sourceOf(tarGz([{ path: 'model.onnx', content: randomBytes(20_000) }]), {
        chunkBytes: 1000,
        failAfterChunks: 3,
      });

      await expect(extract(source, { name })).rejects.toThrow('connection reset');

      expect(await readdir(scratch.path)).toEqual([]);
      expect(seen.isClosed).toBe(true);
    },
  );

  it('is read no further than a bare model may be large', async () => {
    const { source, seen } = sourceOf(Buffer.alloc(200_000), { chunkBytes: 1000 });

    await expectRefusal(extract(source, { name: 'm.onnx' }), /larger than 100000 bytes/);

    expect(seen).toEqual({ readBytes: 101_000, isClosed: true });
  });
});
