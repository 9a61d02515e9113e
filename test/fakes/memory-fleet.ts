import type { Clock } from '../../lib/clock.ts';
import { type Allocation, ControlPlaneBusy, type Fleet, Refused } from '../../lib/scaling/fleet.ts';

interface Held {
  requested: number;
  available: number;
  status: Allocation['status'];
  /** When what was asked for is there. */
  readyAtMs: number;
  reason?: string;
}

export interface MemoryFleet extends Fleet {
  /** Names of the functions and the version behind their alias. */
  readonly live: Map<string, string>;
  /** Told when all workers of an allocation have got ready. */
  onReady: (functionName: string, version: string) => void;
  /** Why allocations fail now; undefined: they do not. */
  failing: string | undefined;
  /** Versions of which no allocation comes. */
  readonly failingVersions: Set<string>;
  failingFor: ((functionName: string) => boolean) | undefined;
  /** Whether the control plane takes no calls now. */
  isBusy: boolean;
  readonly calls: { readonly atMs: number; readonly text: string }[];
  /** Allocations go on as time passes. */
  advance(): void;
  workers(functionName: string, version: string): number;
  /** All that is asked for, in every function. */
  total(): number;
}

/** The Fleet port: Lambda's provisioned concurrency with its delays, on a clock that the test sets. */
export const memoryFleet = (options: {
  readonly now: Clock;
  readonly delayMs: number;
  readonly limit?: number;
}): MemoryFleet => {
  const { now, delayMs, limit = 1000 } = options;
  const held = new Map<string, Map<string, Held>>();
  const of = (functionName: string): Map<string, Held> => {
    const versions = held.get(functionName) ?? new Map<string, Held>();
    held.set(functionName, versions);
    return versions;
  };
  const note = (text: string): void => {
    if (fleet.isBusy) throw new ControlPlaneBusy('Rate exceeded');
    fleet.calls.push({ atMs: now(), text });
  };
  const total = (): number =>
    [...held.values()]
      .flatMap((versions) => [...versions.values()])
      .reduce((all, { requested }) => all + requested, 0);

  const fleet: MemoryFleet = {
    live: new Map(),
    onReady: () => undefined,
    failing: undefined,
    failingVersions: new Set(),
    failingFor: undefined,
    isBusy: false,
    calls: [],
    total,
    workers: (functionName, version) => held.get(functionName)?.get(version)?.available ?? 0,
    advance() {
      for (const [functionName, versions] of held) {
        for (const [version, each] of versions) {
          if (each.status !== 'IN_PROGRESS' || now() < each.readyAtMs) continue;
          const isFailing = fleet.failingVersions.has(version) || fleet.failingFor?.(functionName) === true;
          if (fleet.failing !== undefined || isFailing) {
            Object.assign(each, { status: 'FAILED', reason: fleet.failing ?? 'bad init' });
            continue;
          }
          Object.assign(each, { status: 'READY', available: each.requested });
          fleet.onReady(functionName, version);
        }
      }
    },
    async liveVersion(functionName) {
      note(`alias ${functionName}`);
      return fleet.live.get(functionName);
    },
    async list(functionName) {
      note(`list ${functionName}`);
      return [...of(functionName)].map(([version, { requested, available, status, reason }]) => ({
        version,
        requested,
        available,
        status,
        ...(reason === undefined ? {} : { reason }),
      }));
    },
    async put(functionName, version, workers) {
      note(`put ${functionName}:${version} ${workers}`);
      const versions = of(functionName);
      const before = versions.get(version);
      if (total() - (before?.requested ?? 0) + workers > limit - 100) throw new Refused('over the limit');
      const available = Math.min(before?.available ?? 0, workers);
      const isDown = workers <= (before?.available ?? 0);
      versions.set(version, {
        requested: workers,
        available,
        status: isDown ? 'READY' : 'IN_PROGRESS',
        readyAtMs: now() + delayMs,
      });
    },
    async remove(functionName, version) {
      note(`remove ${functionName}:${version}`);
      of(functionName).delete(version);
    },
    async account() {
      note('account');
      return { limit, unreserved: limit };
    },
  };
  return fleet;
};
