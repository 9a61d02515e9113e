import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;
const MAX_WAIT_MS = 60_000;

/**
 * Runs `work` while no other process of this checkout does. The lock is a folder (making one is atomic
 * everywhere) that says whose it is; one left behind by a dead process is taken over.
 * @throws Error after a minute, naming the process that holds it.
 */
export const withFolderLock = async (lock: string, work: () => Promise<void>): Promise<void> => {
  for (let waitedMs = 0; !(await take(lock)); waitedMs += POLL_MS) {
    const owner = await readOwner(lock);
    if (owner !== undefined && !isAlive(owner)) await rm(lock, { recursive: true, force: true });
    if (waitedMs >= MAX_WAIT_MS) {
      throw new Error(`process ${owner ?? '?'} has been building for a minute: end it, or delete ${lock}`);
    }
    await delay(POLL_MS);
  }

  try {
    await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
};

const take = async (lock: string): Promise<boolean> => {
  try {
    await mkdir(lock);
  } catch {
    return false;
  }
  await writeFile(join(lock, 'pid'), String(process.pid));
  return true;
};

const readOwner = async (lock: string): Promise<number | undefined> => {
  const pid = Number(await readFile(join(lock, 'pid'), 'utf8').catch(() => ''));
  return pid > 0 ? pid : undefined;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
