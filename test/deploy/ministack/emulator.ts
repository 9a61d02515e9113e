import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of Node, as the emulator runs functions in the one that it finds first. */
const BIN = dirname(process.execPath);
const STARTS_WITHIN_MS = 60_000;

export interface Emulator {
  readonly port: number;
  /** For whoever is to talk to it and to nobody else. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** ministack, an emulator of AWS by others. @param directory for what it keeps and says */
export const startEmulator = async (executable: string, directory: string): Promise<Emulator> => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(executable, [], {
    cwd: directory,
    // A process group of its own: it starts others.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: `${BIN}:${process.env['PATH'] ?? ''}`,
      HOME: directory,
      TMPDIR: directory,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
    },
  });
  const log = createWriteStream(join(directory, 'ministack.log'));
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  await untilHealthy(child, url);
  return {
    port,
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    close: () => end(child),
  };
};

const untilHealthy = async (child: ChildProcess, url: string): Promise<void> => {
  const deadline = Date.now() + STARTS_WITHIN_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    const response = await fetch(`${url}/_ministack/health`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(200);
  }
  await end(child);
  throw new Error(`ministack did not start within ${STARTS_WITHIN_MS / 1000} s: see ministack.log`);
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.pid === undefined) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGTERM');
  await Promise.race([exited, sleep(5000)]);
  try {
    // Whatever is left of its group.
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing is.
  }
};
