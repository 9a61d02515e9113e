import type { Catalog, PreloadReport } from '../catalog/catalog.ts';
import { hasWish, type ModelRow } from '../catalog/model-row.ts';
import { isPending } from './allocations.ts';
import { type Account, ControlPlaneBusy, type Fleet } from './fleet.ts';
import { lookAtFleet } from './look-at-fleet.ts';
import type { MetricReader } from './metric-reader.ts';
import { type Observation, SEEN_MINUTES } from './observation.ts';
import type { Policy } from './policy.ts';
import { readClock } from './read-clock.ts';
import { readDemand } from './read-demand.ts';
import type { ScalerStore } from './scaler-store.ts';
import { groupOf, modelsOf, type ScalerState } from './state.ts';

const ACCOUNT_MINUTES = 15;

export interface ObserveDeps {
  readonly metrics: MetricReader;
  readonly metricNames: MetricNames;
  readonly fleet: Fleet;
  readonly catalog: Pick<Catalog, 'readRoutes' | 'listGroups'>;
  readonly store: Pick<ScalerStore, 'listWishes' | 'readModels'>;
  /** Waits until Lambda's control plane may be asked again. */
  readonly pace: () => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

export interface MetricNames {
  /** Of the workers' own metrics. */
  readonly namespace: string;
  readonly endpointName: string;
  readonly routerFunction: string;
  readonly scalerFunction: string;
}

/** Looks at everything that a decision needs, and at as little as that allows: every metric that is read costs. */
export const observe = async (
  state: ScalerState,
  nowMs: number,
  policy: Policy,
  deps: ObserveDeps,
): Promise<Observation> => {
  const { metrics, metricNames, store, catalog } = deps;
  const [clock, wishes, routes] = await Promise.all([
    readClock(metrics, metricNames, nowMs, policy.minuteMs),
    store.listWishes(),
    catalog.readRoutes(),
  ]);
  const nothing = {
    nowMs,
    isIdle: false,
    knownMinutes: 0,
    groups: new Map(),
    models: new Map(),
    rows: new Map(),
    fleet: new Map(),
    preloads: new Map(),
    routes,
  };
  if (clock.settledMinute === undefined) return nothing;
  const { settledMinute } = clock;
  if (!clock.isCalled && !isBusy(state, policy, wishes)) return { ...nothing, settledMinute, isIdle: true };

  const { groups, models } = await readDemand(
    { metrics, names: metricNames, clock: { ...clock, settledMinute }, nowMs },
    state,
    policy,
  );
  const known = new Map(wishes.map((row) => [row.model, row]));
  const asked = [...new Set([...models.keys(), ...state.models.keys()])].filter((model) => !known.has(model));
  const rows = new Map([
    ...known,
    ...(await store.readModels(asked)).map((row): [string, ModelRow] => [row.model, row]),
  ]);
  const account = await readAccount(state, nowMs, policy, deps);
  const fleet = await lookAtFleet(state, nowMs, policy, deps);
  const preloads = await readPreloads(state, deps.catalog);
  return {
    nowMs,
    settledMinute,
    knownMinutes: [...clock.known].filter((minute) => minute > settledMinute - SEEN_MINUTES).length,
    isIdle: false,
    groups,
    models,
    rows,
    fleet,
    preloads,
    routes,
    ...(account === undefined ? {} : { account }),
  };
};

/** R12. Whether there is anything to look after while nobody calls. */
const isBusy = (state: ScalerState, policy: Policy, wishes: readonly ModelRow[]): boolean =>
  state.models.size > 0 ||
  wishes.some(hasWish) ||
  [...policy.coldGroups, ...policy.hotGroups].some((name) => {
    const { wanted, allocations } = groupOf(state, name);
    return wanted > 0 || allocations.length > 0;
  });

const readAccount = async (
  { account }: ScalerState,
  nowMs: number,
  { minuteMs }: Policy,
  { fleet, pace }: ObserveDeps,
): Promise<Account | undefined> => {
  if (account !== undefined && nowMs - account.readAtMs < ACCOUNT_MINUTES * minuteMs) return undefined;
  await pace();
  return fleet.account().catch((error: unknown) => {
    if (error instanceof ControlPlaneBusy) return undefined;
    throw error;
  });
};

/** Of the slots that wait for their workers' word. */
const readPreloads = async (
  state: ScalerState,
  catalog: Pick<Catalog, 'listGroups'>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, readonly PreloadReport[]>>> => {
  const waiting = [...state.groups]
    .filter(([name, record]) => {
      const isMoving = record.liveVersion !== record.version;
      return (
        isMoving || isPending(record) || modelsOf(state, name).some(([, { stage }]) => stage === 'warming')
      );
    })
    .map(([name]) => name);
  const rows = await catalog.listGroups(waiting);
  return new Map(rows.map(({ name, preloads }) => [name, preloads]));
};
