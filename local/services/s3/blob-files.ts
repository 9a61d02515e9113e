import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Bytes on disk under a name of their own. They are nobody's until an index names them. */
export interface Blob {
  readonly id: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly md5: string;
}

export interface BlobFiles {
  /** Writes all of `body`; nothing is left behind when it throws. */
  write(body: AsyncIterable<Uint8Array> | Uint8Array): Promise<Blob>;
  /** Bytes `start` to `end`, both included. */
  read(id: string, range?: { readonly start: number; readonly end: number }): Readable;
  remove(id: string): Promise<void>;
  /** Deletes what no index names, e.g. after a crash between writing bytes and naming them. */
  sweep(isKnown: (id: string) => boolean): Promise<void>;
}

/** Files in 256 folders, so that none grows large. */
export const openBlobFiles = async (directory: string): Promise<BlobFiles> => {
  const folder = (id: string): string => join(directory, id.slice(0, 2));
  const path = (id: string): string => join(folder(id), id);
  const made = new Set<string>();
  const makeFolder = async (id: string): Promise<void> => {
    if (made.has(folder(id))) return;
    await mkdir(folder(id), { recursive: true });
    made.add(folder(id));
  };
  await mkdir(directory, { recursive: true });

  return {
    async write(body) {
      const id = randomUUID();
      await makeFolder(id);
      const file = await open(path(id), 'wx');
      const md5 = createHash('md5');
      let sizeBytes = 0;
      try {
        for await (const chunk of body instanceof Uint8Array ? [body] : body) {
          md5.update(chunk);
          sizeBytes += chunk.length;
          await file.writeFile(chunk);
        }
      } catch (error) {
        await file.close();
        await rm(path(id), { force: true });
        throw error;
      }
      await file.close();
      return { id, sizeBytes, md5: md5.digest('hex') };
    },

    read: (id, range) => createReadStream(path(id), range),
    remove: (id) => rm(path(id), { force: true }),

    async sweep(isKnown) {
      for (const prefix of await readdir(directory)) {
        for (const id of await readdir(join(directory, prefix))) {
          if (!isKnown(id)) await rm(join(directory, prefix, id), { force: true });
        }
      }
    },
  };
};
