import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const isLinux = process.platform === 'linux';

/** How often memory is looked at. Lambda's bound is exact; here a burst between two looks goes unseen. */
export const SAMPLE_EVERY_MS = isLinux ? 250 : 1000;

/** Resident bytes by process id; processes that have ended are left out. */
export const residentBytes = async (pids: readonly number[]): Promise<ReadonlyMap<number, number>> =>
  isLinux ? fromProc(pids) : fromPs(pids);

/** `status` gives KiB, where the cheaper `statm` counts pages, which are not 4 KiB on every arm64 kernel. */
const fromProc = (pids: readonly number[]): ReadonlyMap<number, number> => {
  const found = new Map<number, number>();
  for (const pid of pids) {
    try {
      const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
      if (kib !== undefined) found.set(pid, 1024 * Number(kib));
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
