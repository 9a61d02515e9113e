import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEPLOYMENT_INPUTS, hashInputs, ROOT } from '../../deploy/inputs.ts';
import { type Deployment, parseTemplate, type Template } from './template.ts';

/** The command behind `npx serverless`; its package exports nothing, so it is named by its path. */
const FRAMEWORK = join(ROOT, 'node_modules', 'osls', 'bin', 'serverless.js');
const PACKAGE_WITHIN_MS = 120_000;
const FUNCTIONS = ['router', 'inference', 'scaler'];

export interface Packaged {
  readonly deployment: Deployment;
  /** What AWS would unpack into /var/task, for all functions: handlers are paths below it. */
  readonly codeDirectory: string;
}

/**
 * Runs `serverless package` and keeps what it made in `directory`, apart from the checkout's own `dist/`, so that
 * a later build does not change code under a running endpoint. What is up to date is used as it is.
 */
export const packageDeployment = async (
  directory: string,
  onProgress: (message: string) => void,
): Promise<Packaged> => {
  const finished = join(directory, 'deployment');
  const key = await hashInputs(DEPLOYMENT_INPUTS);
  const knownKey = await readFile(join(finished, 'key'), 'utf8').catch(() => undefined);

  if (knownKey !== key) {
    onProgress('building the functions and resolving serverless.yml');
    await renew(finished, key);
  }

  const template = await readFile(join(finished, 'template.json'), 'utf8');
  return {
    deployment: parseTemplate(JSON.parse(template) as Template),
    codeDirectory: join(finished, 'code'),
  };
};

const renew = async (finished: string, key: string): Promise<void> => {
  const unfinished = `${finished}.unfinished`;
  const packages = join(unfinished, 'package');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });

  await runFramework(['package', '--package', packages]);
  await rename(
    join(packages, 'cloudformation-template-update-stack.json'),
    join(unfinished, 'template.json'),
  );
  await rm(packages, { recursive: true, force: true });
  for (const name of FUNCTIONS) {
    await cp(join(ROOT, 'dist', name), join(unfinished, 'code', 'dist', name), { recursive: true });
  }
  await writeFile(join(unfinished, 'key'), key);

  await rm(finished, { recursive: true, force: true });
  await rename(unfinished, finished);
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
    throw new Error(`serverless ${args[0]} failed:\n${stderr || stdout || message}`);
  });
};
