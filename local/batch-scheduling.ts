import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Asks Linux not to interrupt a process of the local cloud for one that it has just woken (SCHED_BATCH, sched(7)): a call wakes each of them in turn, and
 * whoever is let finish takes several calls at once, with its caches still its own (docs/performance.md). Environments inherit it. Elsewhere, and
 * where `chrt` of util-linux is missing, everything stays as it is.
 */
export const scheduleInBatches = async (): Promise<void> => {
  if (process.platform !== 'linux') return;
  const args = ['--batch', '--all-tasks', '--pid', '0', String(process.pid)];
  await promisify(execFile)('chrt', args).catch(() => undefined);
};
