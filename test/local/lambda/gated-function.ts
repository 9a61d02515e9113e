import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import type { Harness } from './lambda-harness.ts';

/**
 * Is not ready while there is a file `start-gate-<n>` for its number in order of starts, or fails to start while
 * there is `start-fails`. It waits for the file that an event names as `gate`, and says who it is.
 */
export const GATED = `
  import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
  let number = 1;
  for (;; number++) {
    try { mkdirSync('started-' + number); break; } catch {}
  }
  const sleep = () => new Promise((resolve) => setTimeout(resolve, 5));
  while (existsSync('start-gate-' + number)) await sleep();
  if (existsSync('start-fails')) throw new TypeError('no model');
  writeFileSync('ready-' + number, String(process.pid));
  export const handler = async ({ gate, print }) => {
    if (print) console.log(print);
    while (gate && !existsSync(gate)) await sleep();
    return { pid: process.pid, number, type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE };
  };`;

export interface Served {
  readonly pid: number;
  /** In order of starts, from 1. */
  readonly number: number;
  readonly type: 'on-demand' | 'provisioned-concurrency';
}

/** Files below the code of a function, which stop it or let it go on. */
export const createGates = (harness: Harness, functionName = 'f') => {
  const path = (name: string): string => join(harness.directory, 'code', functionName, name);
  return {
    path,
    read: (name: string): string => readFileSync(path(name), 'utf8'),
    has: (name: string): boolean => existsSync(path(name)),
    put: (name: string): void => writeFileSync(path(name), ''),
    remove: (name: string): void => rmSync(path(name)),
  };
};

/** Calls a function by the unchanged SDK. */
export const call = async (
  { client }: Harness,
  event: object = {},
  input: { readonly Qualifier?: string; readonly FunctionName?: string } = { Qualifier: '1' },
): Promise<Served> => {
  const { Payload } = await client.send(
    new InvokeCommand({ FunctionName: 'f', Payload: Buffer.from(JSON.stringify(event)), ...input }),
  );
  return JSON.parse(Buffer.from(Payload ?? []).toString());
};
