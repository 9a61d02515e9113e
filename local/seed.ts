import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../deploy/inputs.ts';
import type { ObjectStore } from './services/s3/object-store.ts';

const ARTIFACTS = join(ROOT, 'examples', 'sklearn', 'artifacts');
const CONCURRENT_PUTS = 16;

export interface SeedOptions {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly prefix: string;
  /** Copies of the diabetes model. */
  readonly models: number;
  /** Where to note what was uploaded, so that a model deleted since does not come back with the next start. */
  readonly directory: string;
  readonly onProgress: (done: number, total: number) => void;
}

export const diabetesModel = (index: number): string => `diabetes-${String(index).padStart(4, '0')}.tar.gz`;

/** Uploads the example models that earlier starts have not: `diabetes-0001.tar.gz` and on, iris and digits. */
export const seedModels = async (options: SeedOptions): Promise<void> => {
  const { store, bucket, prefix, models, directory, onProgress } = options;
  const note = join(directory, 'seed.json');
  const uploaded = await readUploaded(note);

  const wanted = [
    ...(uploaded === undefined
      ? [
          ['iris.tar.gz', 'iris'],
          ['digits.tar.gz', 'digits'],
        ]
      : []),
    ...range((uploaded ?? 0) + 1, models).map((index) => [diabetesModel(index), 'diabetes']),
  ] as [key: string, artifact: string][];
  if (wanted.length === 0) return;

  const bytes = new Map<string, Buffer>();
  for (const name of ['diabetes', 'iris', 'digits']) {
    bytes.set(name, await readFile(join(ARTIFACTS, `${name}.tar.gz`)));
  }

  let next = 0;
  let done = 0;
  const upload = async (): Promise<void> => {
    for (let item = wanted[next++]; item !== undefined; item = wanted[next++]) {
      const [key, artifact] = item;
      await store.put(bucket, prefix + key, bytes.get(artifact) ?? Buffer.alloc(0));
      onProgress(++done, wanted.length);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_PUTS }, upload));

  await writeFile(`${note}.new`, JSON.stringify({ models: Math.max(models, uploaded ?? 0) }));
  await rename(`${note}.new`, note);
};

const readUploaded = async (note: string): Promise<number | undefined> => {
  const text = await readFile(note, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number((JSON.parse(text) as { models: number }).models);
};

const range = (first: number, last: number): readonly number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
