import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
import { ServingError } from '../errors.ts';
import type { ArchiveLimits } from './entry-policy.ts';
import { NewFiles } from './new-files.ts';
import { refusal } from './refusal.ts';
import { MAX_RATIO, tooHighRatio, unpackTar } from './unpack-tar.ts';

export interface Extraction {
  /** The object's key; its ending says what it is. */
  readonly name: string;
  readonly source: AsyncIterable<Uint8Array>;
  /** Must not exist; it does only when everything has been unpacked. */
  readonly directory: string;
  readonly limits: ArchiveLimits;
  /** Adds to the folder before it exists; says how many bytes. */
  readonly complete?: (directory: string) => Promise<number>;
}

/**
 * Unpacks a `.tar.gz` into a folder, or puts a bare `.onnx` there as `model.onnx`. All or nothing: it happens in a folder
 * beside, which is renamed at the end, so that a worker killed half-way leaves no half model. The source is read no
 * further than the first thing that is wrong.
 * @returns the bytes of the files written.
 * @throws ServingError ModelError for a damaged, hostile or too large artifact; errors of the source as they come.
 */
export const extractArtifact = async ({
  name,
  source,
  directory,
  limits,
  complete = async () => 0,
}: Extraction): Promise<number> => {
  const unfinished = `${directory}.tmp-${randomUUID()}`;
  try {
    // Synchronously, like the files: a turn of the thread pool costs several times what a small folder does.
    mkdirSync(unfinished, { recursive: true });
    const sizeBytes = name.endsWith('.onnx')
      ? await writeBare(source, unfinished, limits)
      : await unpack(source, unfinished, limits);
    const addedBytes = await complete(unfinished);
    renameSync(unfinished, directory);
    return sizeBytes + addedBytes;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw toModelError(error);
  }
};

/** A small archive is read whole, and unpacked at once: the stream's turns of the thread pool would cost more than its work. */
const SMALL_BYTES = 64 * 1024;

const unpack = async (
  source: AsyncIterable<Uint8Array>,
  directory: string,
  limits: ArchiveLimits,
): Promise<number> => {
  const head: Uint8Array[] = [];
  let packedBytes = 0;
  const chunks = source[Symbol.asyncIterator]();
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      yield* head;
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
        packedBytes += next.value.length;
        yield next.value;
      }
    } finally {
      await chunks.return?.();
    }
  }

  while (packedBytes <= SMALL_BYTES) {
    const next = await chunks.next();
    if (next.done) return unpackTar(gunzip(Buffer.concat(head)), directory, limits);
    packedBytes += next.value.length;
    head.push(next.value);
  }
  return pipeline(whole, createGunzip({ rejectGarbageAfterEnd: true }), (tar: AsyncIterable<Uint8Array>) =>
    unpackTar(tar, directory, { ...limits, packedBytes: () => packedBytes }),
  );
};

function* gunzip(packed: Uint8Array): Generator<Uint8Array> {
  try {
    yield gunzipSync(packed, { rejectGarbageAfterEnd: true, maxOutputLength: MAX_RATIO * SMALL_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw tooHighRatio();
  }
}

const writeBare = async (
  source: AsyncIterable<Uint8Array>,
  directory: string,
  { maxUnpackedBytes }: ArchiveLimits,
): Promise<number> => {
  using files = new NewFiles(directory);
  const file = files.open(['model.onnx']);
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxUnpackedBytes) throw refusal(`it is larger than ${maxUnpackedBytes} bytes`);
    file.write(chunk);
  }
  return sizeBytes;
};

/** zlib and tar name what is wrong with the bytes; anything else (network, a bug) is not the artifact's fault. */
const toModelError = (cause: unknown): unknown => {
  const { code = '', message, tarCode } = cause as NodeJS.ErrnoException & { tarCode?: string };
  if (code === 'ENOSPC') {
    return new ServingError(
      'ServiceUnavailable',
      "the worker's /tmp was full: others have made room, so try again; if it stays so, give the inference functions more ephemeralStorageSize",
      { cause },
    );
  }
  const isDamage = /^(Z_|TAR_|ERR_TRAILING_JUNK)/.test(code) || tarCode !== undefined;
  if (!isDamage) return cause;
  return new ServingError(
    'ModelError',
    `the artifact is no whole gzipped tar (${message.slice(0, 200)}); pack it with tar czf and upload it again`,
    { cause },
  );
};
