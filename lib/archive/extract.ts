import { constants, mkdirSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { ServingError } from '../errors.ts';
import { type ArchiveLimits, createEntryPolicy, type Entry, type Verdict } from './entry-policy.ts';

/** A new file and nothing else: an entry can neither overwrite what is there nor follow a link out of the folder. */
const NEW_FILE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);

/** Headers, padding and the end marker of a tar, per entry; beyond what the entries hold, more than this is a bomb. */
const OVERHEAD_BYTES_PER_ENTRY = 2048;

export interface Extraction {
  /** The object's key; its ending says what it is. */
  readonly name: string;
  readonly source: AsyncIterable<Uint8Array>;
  /** Must not exist; it does only when everything has been unpacked. */
  readonly directory: string;
  readonly limits: ArchiveLimits;
}

/**
 * Unpacks a `.tar.gz` into a folder, or puts a bare `.onnx` there as `model.onnx`. All or nothing: it happens in a folder
 * beside, which is renamed at the end, so that a worker killed half-way leaves no half model.
 * @throws ServingError ModelError for a damaged, hostile or too large artifact; errors of the source as they come.
 */
export const extractArtifact = async ({ name, source, directory, limits }: Extraction): Promise<void> => {
  const unfinished = `${directory}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    if (name.endsWith('.onnx')) await writeBare(source, join(unfinished, 'model.onnx'), limits);
    else await unpack(source, unfinished, limits);
    await rename(unfinished, directory);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw toModelError(error);
  }
};

const unpack = async (
  source: AsyncIterable<Uint8Array>,
  directory: string,
  limits: ArchiveLimits,
): Promise<void> => {
  const maxTarBytes = limits.maxUnpackedBytes + limits.maxEntries * OVERHEAD_BYTES_PER_ENTRY;
  await pipeline(
    Readable.from(source, { objectMode: false }),
    createGunzip(),
    boundBytes(maxTarBytes),
    tarWriter(directory, createEntryPolicy(limits)),
  );
};

const writeBare = async (
  source: AsyncIterable<Uint8Array>,
  path: string,
  { maxUnpackedBytes }: ArchiveLimits,
): Promise<void> => {
  const bounded = Readable.from(source, { objectMode: false }).pipe(boundBytes(maxUnpackedBytes));
  await writeNewFile(path, bounded as AsyncIterable<Uint8Array>);
};

const boundBytes = (maxBytes: number): Transform => {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(refusal(`it unpacks to more than ${maxBytes} bytes`));
      else done(null, chunk);
    },
  });
};

/** tar's parser as a stream that ends when every file has been written. */
const tarWriter = (directory: string, judge: (entry: Entry) => Verdict): Writable => {
  const writes: Promise<void>[] = [];
  const parser = new Parser({ strict: true });
  const writer = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (parser.write(chunk)) done();
      else parser.once('drain', () => done());
    },
    final(done) {
      parser.once('end', () => {
        Promise.all(writes).then(() => done(), done);
      });
      parser.end();
    },
  });

  parser.on('error', (error: Error) => writer.destroy(error));
  parser.on('entry', (entry: ReadEntry) => {
    const verdict = judge({ path: entry.path, type: entry.type, sizeBytes: entry.size });
    if ('write' in verdict) {
      const path = join(directory, ...verdict.write);
      mkdirSync(dirname(path), { recursive: true });
      const write = writeNewFile(path, entry);
      write.catch((error: Error) => writer.destroy(error));
      writes.push(write);
      return;
    }
    entry.resume();
    if ('refuse' in verdict)
      writer.destroy(refusal(`entry ${JSON.stringify(entry.path.slice(0, 100))}: ${verdict.refuse}`));
  });
  return writer;
};

const writeNewFile = async (path: string, data: AsyncIterable<Uint8Array>): Promise<void> => {
  const file = await open(path, NEW_FILE, 0o600);
  try {
    for await (const chunk of data) await file.write(chunk);
  } finally {
    await file.close();
  }
};

const refusal = (why: string): ServingError =>
  new ServingError('ModelError', `the artifact is refused: ${why}; pack it again as a plain gzipped tar`);

const toModelError = (error: unknown): unknown => {
  const { code } = error as NodeJS.ErrnoException;
  // zlib and tar name what is wrong with the bytes; anything else (disk, network) is not the artifact's fault.
  const isDamage = /^(Z_|TAR_)/.test(code ?? '') || (error as { tarCode?: string }).tarCode !== undefined;
  if (!isDamage) return error;
  return new ServingError(
    'ModelError',
    `the artifact is no whole gzipped tar (${(error as Error).message.slice(0, 200)}); pack it with tar czf and upload it again`,
    { cause: error },
  );
};
