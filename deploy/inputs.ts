import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '..');

/** Each is a folder with a handler. */
export const FUNCTIONS: readonly string[] = readdirSync(join(ROOT, 'functions'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** What the bundles and the layer are made of; the lock file stands for node_modules. */
export const BUNDLE_INPUTS = ['functions', 'lib', 'layers', 'deploy', 'package-lock.json'];

/** What the whole deployment is made of. */
export const DEPLOYMENT_INPUTS = [...BUNDLE_INPUTS, 'serverless.yml', 'local/deployment'];

/** A digest of the files at and below `paths` (relative to the project), names included. */
export const hashInputs = async (paths: readonly string[]): Promise<string> => {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of await listFiles(join(ROOT, path))) {
      hash.update(`${relative(ROOT, file)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex');
};

const listFiles = async (path: string): Promise<readonly string[]> => {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (entries === undefined) return [path];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
};
