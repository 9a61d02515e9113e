import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { withFolderLock } from '../../deploy/folder-lock.ts';
import { DEPLOYMENT_INPUTS, FUNCTIONS, hashInputs, ROOT } from '../../deploy/inputs.ts';
import { ConfigurationError } from '../../lib/env.ts';
import { type Deployment, parseTemplate, type Template } from './template.ts';

/** The command behind `npx serverless`; its package exports nothing, so it is named by its path. */
const FRAMEWORK = join(ROOT, 'node_modules', 'osls', 'bin', 'serverless.js');
const PACKAGE_WITHIN_MS = 120_000;

export interface Packaged {
  readonly deployment: Deployment;
  /** What AWS would unpack into /var/task, for all functions: handlers are paths below it. */
  readonly codeDirectory: string;
}

/** What the checkout packaged last, for every folder that is served from it. */
const SHARED = join(ROOT, 'dist', 'packaged');

/**
 * Runs `serverless package` and keeps what it made in `directory`, apart from the checkout's own `dist/`, so that
 * a later build does not change code under a running endpoint. What is up to date is used as it is.
 * @param params `name=value` of serverless.yml
 */
export const packageDeployment = async (
  directory: string,
  params: readonly string[],
  onProgress: (message: string) => void,
): Promise<Packaged> => {
  const own = join(directory, 'deployment');
  await checkParams(params);
  const key = [await hashInputs(DEPLOYMENT_INPUTS), ...params].join(' ');

  if ((await readKey(own)) !== key) {
    onProgress('building the functions and resolving serverless.yml');
    await mkdir(dirname(SHARED), { recursive: true });
    // The framework writes to fixed folders of the checkout: two of them at once break each other.
    await withFolderLock(`${SHARED}.lock`, async () => {
      if ((await readKey(SHARED)) !== key)
        await replaceFolder(SHARED, (folder) => runPackage(folder, key, params));
      await replaceFolder(own, (folder) => cp(SHARED, folder, { recursive: true }));
    });
  }

  const template = await readFile(join(own, 'template.json'), 'utf8');
  return { deployment: parseTemplate(JSON.parse(template) as Template), codeDirectory: join(own, 'code') };
};

/** A parameter that serverless.yml has not would be passed over by the framework with no word. */
const checkParams = async (params: readonly string[]): Promise<void> => {
  const text = await readFile(join(ROOT, 'serverless.yml'), 'utf8');
  const block = /^params:\n {2}default:\n((?: {4}.*\n)+)/m.exec(text)?.[1] ?? '';
  const known = [...block.matchAll(/^ {4}(\w+):/gm)].map(([, name = '']) => name);
  const unknown = params.find((param) => !known.includes(param.slice(0, param.indexOf('='))));
  if (unknown === undefined) return;
  throw new ConfigurationError(
    `environment variable PARAMS has ${JSON.stringify(unknown)}, and serverless.yml has no such parameter: there are ${known.join(', ')}`,
  );
};

const readKey = (folder: string): Promise<string | undefined> =>
  readFile(join(folder, 'key'), 'utf8').catch(() => undefined);

/** Fills a new folder and puts it in the place of the old one, so that a half-filled one is never used. */
const replaceFolder = async (finished: string, fill: (folder: string) => Promise<void>): Promise<void> => {
  const unfinished = `${finished}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  await fill(unfinished);
  await rm(finished, { recursive: true, force: true });
  await rename(unfinished, finished);
};

const runPackage = async (folder: string, key: string, params: readonly string[]): Promise<void> => {
  const packages = join(folder, 'package');
  await runFramework(['package', '--package', packages, ...params.map((param) => `--param=${param}`)]);
  await rename(join(packages, 'cloudformation-template-update-stack.json'), join(folder, 'template.json'));
  await rm(packages, { recursive: true, force: true });
  for (const name of FUNCTIONS) {
    const bundle = join('dist', name);
    // As the package patterns of serverless.yml have it; the door for `invoke local` and the maps are of no use here.
    await cp(join(ROOT, bundle), join(folder, 'code', bundle), {
      recursive: true,
      filter: (path) => path.endsWith(name) || path.endsWith('.mjs'),
    });
  }
  await writeFile(join(folder, 'key'), key);
};

/** The real process, not `npx`, so that the time limit reaches it: after an error it may never exit by itself. */
const runFramework = async (args: readonly string[]): Promise<void> => {
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  await promisify(execFile)(process.execPath, [FRAMEWORK, ...args], {
    cwd: ROOT,
    env: Object.fromEntries(environment),
    timeout: PACKAGE_WITHIN_MS,
    killSignal: 'SIGKILL',
  }).catch(({ stdout, stderr, message }: { stdout?: string; stderr?: string; message: string }) => {
    // The framework says on one what is wrong, and on the other who it is.
    throw new Error(
      `serverless ${args[0]} failed:\n${[stdout, stderr].filter(Boolean).join('\n') || message}`,
    );
  });
};
