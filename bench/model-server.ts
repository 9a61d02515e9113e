import type { ChildProcess } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { diabetesModel } from '../local/seed.ts';
import type { Called } from './endpoint.ts';

/** Another model server, in a process of its own, measured beside ours where the machine has it. */
export interface ModelServer extends Called {
  readonly child: ChildProcess;
  readonly name: string;
  /** What one call sends: a row of features, in the form that this server reads. */
  readonly body: string;
}

export interface ModelServerOptions {
  /** Of its own, for what the server is given to read and what it writes. */
  readonly directory: string;
  readonly modelFile: string;
  readonly models: number;
  readonly row: readonly number[];
}

const START_WITHIN_MS = 300_000;

/** As `npm start` names them, without the suffix. */
export const modelName = (index: number): string => basename(diabetesModel(index), '.tar.gz');

/** @throws Error when the address does not answer 200 within five minutes, or when the process has ended; it is killed then */
export const untilReady = async (name: string, child: ChildProcess, url: string): Promise<void> => {
  const untilMs = Date.now() + START_WITHIN_MS;
  // A program that cannot be started is an `error` without a listener else, which would end the bench.
  child.once('error', () => undefined);
  while (!(await answers(url))) {
    const hasEnded = child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || Date.now() > untilMs) {
      child.kill();
      throw new Error(
        `${name} did not start: bench/README.md says how the bench goes with it, and without it`,
      );
    }
    await sleep(500);
  }
};

const answers = async (url: string): Promise<boolean> => {
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(url, { signal }).catch(() => undefined);
  await response?.text().catch(() => undefined);
  return response?.ok === true;
};

export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.once('listening', () => resolve((server.address() as AddressInfo).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
};
