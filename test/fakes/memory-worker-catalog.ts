import type { PreloadReport } from '../../lib/catalog/catalog.ts';
import type { WorkerCatalog } from '../../lib/catalog/worker-catalog.ts';
import type { WorkerBounds } from '../../lib/models/worker-bounds.ts';

export interface MemoryWorkerCatalog extends WorkerCatalog {
  readonly reports: {
    readonly group: string;
    readonly version: string;
    readonly reports: readonly PreloadReport[];
  }[];
  readonly bounds: Map<string, WorkerBounds>;
  readonly measured: Map<string, Parameters<WorkerCatalog['noteMeasured']>[1]>;
}

const LEASE_MS = 380_000;

/** The WorkerCatalog port in memory. */
export const memoryWorkerCatalog = (
  groups: ReadonlyMap<string, readonly string[]> = new Map(),
): MemoryWorkerCatalog => {
  const loads = new Map<string, { lastMs?: number; expectedEndMs?: number; leaseUntilMs?: number }>();
  const reports: MemoryWorkerCatalog['reports'] = [];
  const bounds = new Map<string, WorkerBounds>();
  const measured: MemoryWorkerCatalog['measured'] = new Map();

  return {
    reports,
    bounds,
    measured,
    async begin({ model, nowMs, expectedMs }) {
      const load = loads.get(model) ?? {};
      if (load.leaseUntilMs !== undefined && load.leaseUntilMs >= nowMs) {
        return { expectedEndMs: load.expectedEndMs ?? nowMs };
      }
      loads.set(model, { ...load, expectedEndMs: nowMs + expectedMs, leaseUntilMs: nowMs + LEASE_MS });
      return undefined;
    },
    async end({ model, tookMs }) {
      const { lastMs } = loads.get(model) ?? {};
      loads.set(model, tookMs === undefined ? (lastMs === undefined ? {} : { lastMs }) : { lastMs: tookMs });
    },
    async find(model) {
      const { leaseUntilMs: _, ...known } = loads.get(model) ?? {};
      return Object.keys(known).length === 0 ? undefined : known;
    },
    readPreloads: async (group) => groups.get(group) ?? [],
    reportPreloads: async (group, version, list) => {
      reports.push({ group, version, reports: list });
    },
    noteBounds: async (model, granted) => {
      bounds.set(model, granted);
    },
    noteMeasured: async (model, description) => {
      measured.set(model, description);
    },
  };
};
