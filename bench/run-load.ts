import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Called } from './endpoint.ts';
import type { Load } from './statistics.ts';
import type { Pattern } from './traffic.ts';

const SCRIPT = join(import.meta.dirname, 'load.ts');

/** Load from a process of its own, over models named as `npm start` names them. */
export const runLoad = async (
  { url, apiKey = '' }: Called,
  options: {
    readonly body: string;
    readonly models: number;
    readonly seconds: number;
    readonly connections: number;
    readonly pattern: Pattern;
  },
): Promise<Load> => {
  const { body, models, seconds, connections, pattern } = options;
  const args = [SCRIPT, url, String(models), String(seconds), String(connections), body, pattern];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, API_KEY: apiKey },
  });
  return JSON.parse(stdout) as Load;
};
