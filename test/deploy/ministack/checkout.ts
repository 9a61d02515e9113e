import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../../deploy/inputs.ts';

/** All that a deployment is made of, and the command line. */
const PARTS = [
  'serverless.yml',
  'package.json',
  'package-lock.json',
  'deploy',
  'functions',
  'lib',
  'layers',
  'cli',
  'local',
];
const WITHIN_MS = 120_000;

export interface Checkout {
  /** `npx serverless ...`; resolves with all that it says. @throws Error with all of it when it fails */
  serverless(...args: readonly string[]): Promise<string>;
  /** `npx mme ...`; resolves with what it prints. */
  mme(...args: readonly string[]): Promise<string>;
}

/** The project in a folder of its own: the framework writes to fixed folders, where another test may be at work. */
export const copyCheckout = async (
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<Checkout> => {
  await mkdir(directory, { recursive: true });
  await Promise.all(PARTS.map((part) => cp(join(ROOT, part), join(directory, part), { recursive: true })));
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));

  const run = async (
    script: string,
    args: readonly string[],
  ): Promise<{ stdout: string; stderr: string }> => {
    try {
      return await promisify(execFile)(process.execPath, [join(directory, script), ...args], {
        cwd: directory,
        env: { PATH: process.env['PATH'] ?? '', HOME: directory, ...environment },
        timeout: WITHIN_MS,
        killSignal: 'SIGKILL',
        maxBuffer: 16 * 1024 * 1024,
      });
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`${script} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
    }
  };

  return {
    async serverless(...args) {
      const { stdout, stderr } = await run('node_modules/osls/bin/serverless.js', args);
      return stdout + stderr;
    },
    async mme(...args) {
      return (await run('cli/main.ts', args)).stdout;
    },
  };
};
