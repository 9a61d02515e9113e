import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const PAGE_BYTES = 4096;
const isLinux = process.platform === 'linux';

/** How often memory is looked at. Lambda's bound is exact; here a burst between two looks goes unseen. */
export const SAMPLE_EVERY_MS = isLinux ? 250 : 1000;

/** Resident bytes by process id; processes that have ended are left out. */
export const residentBytes = async (pids: readonly number[]): Promise<ReadonlyMap<number, number>> =>
  isLinux ? fromProc(pids) : fromPs(pids);

const fromProc = (pids: readonly number[]): ReadonlyMap<number, number> => {
  const found = new Map<number, number>();
  for (const pid of pids) {
    try {
      found.set(pid, PAGE_BYTES * Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]));
    } catch {
      // It ended between being listed and being looked at.
    }
  }
  return found;
};

/** One `ps` for all, as it costs a process; its unit is KiB everywhere. It fails when none of them is left. */
const fromPs = async (pids: readonly number[]): Promise<ReadonlyMap<number, number>> => {
  if (pids.length === 0) return new Map();
  const listing = await promisify(execFile)('ps', ['-o', 'pid=,rss=', '-p', pids.join(',')]).catch(
    () => undefined,
  );
  const rows = (listing?.stdout ?? '').trim().split('\n').filter(Boolean);
  return new Map(
    rows.map((row) => {
      const [pid, kib] = row.trim().split(/\s+/).map(Number);
      return [pid ?? 0, 1024 * (kib ?? 0)];
    }),
  );
};
