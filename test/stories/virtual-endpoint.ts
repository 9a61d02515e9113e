import { createScaler, type TickReport } from '../../functions/scaler/scaler.ts';
import type { Routes } from '../../lib/catalog/routes.ts';
import { rankGroups } from '../../lib/routing/rendezvous.ts';
import { carriedBy } from '../../lib/scaling/erlang.ts';
import type { Policy } from '../../lib/scaling/policy.ts';
import { lateMetrics } from '../fakes/late-metrics.ts';
import { memoryCatalog } from '../fakes/memory-catalog.ts';
import { memoryFleet } from '../fakes/memory-fleet.ts';
import { memoryScalerStore } from '../fakes/memory-scaler-store.ts';
import { scalingPolicy } from './scaling-policy.ts';

const STEP_MS = 5000;
const TICK_MS = 60_000;
const START_MS = 29_000_000 * 60_000;
const NAMES = {
  namespace: 'lambda-mme',
  endpointName: 'mme',
  routerFunction: 'mme-router',
  scalerFunction: 'mme-scaler',
};

/** What callers do with one model. */
export interface Traffic {
  /** Calls per second, at a time in minutes from the start. */
  readonly rate: (minute: number) => number;
  readonly callSeconds: number;
  /** Share of its calls on demand that wait for a start or a load. */
  readonly slowShare?: number;
}

/** What callers got in one minute. */
export interface MinuteServed {
  calls: number;
  /** Calls that waited for a cold start or a load. */
  slow: number;
  /** Calls that were led to a slot which had no worker ready. */
  coldSlot: number;
  errors: number;
}

/**
 * A whole endpoint on a virtual clock: traffic in steps of five seconds, routers that hold routes for five, workers by
 * Erlang's formula, CloudWatch with its lag, provisioned concurrency with its delay, and the real scaler once a minute.
 */
export const virtualEndpoint = (options: {
  readonly traffic: Readonly<Record<string, Traffic>>;
  readonly policy?: Partial<Policy>;
  readonly delayMs?: number;
  readonly limit?: number;
}) => {
  const policy = scalingPolicy(options.policy);
  let nowMs = START_MS;
  const now = (): number => nowMs;
  const minute = (): number => (nowMs - START_MS) / 60_000;
  const metrics = lateMetrics(now);
  const fleet = memoryFleet({ now, delayMs: options.delayMs ?? 90_000, limit: options.limit ?? 1000 });
  const catalog = memoryCatalog();
  const store = memoryScalerStore();
  const reports: TickReport[] = [];
  const faults: unknown[] = [];
  const served = new Map<number, MinuteServed>();
  const world = {
    traffic: { ...options.traffic },
    deployment: '1',
    failsToOpen: new Set<string>(),
    ticks: true,
    /** How long after workers are ready their report is there. */
    reportDelayMs: 0,
  };
  /** What routers go by: read a step ago. */
  let held: Routes | undefined;
  /** By function and version, what its workers have opened; reports to come, with their time. */
  const opened = new Map<string, ReadonlySet<string>>();
  let coming: { readonly atMs: number; readonly report: () => Promise<void> }[] = [];

  const functionName = (group: string): string => policy.functionPrefix + group;
  const groups = [...policy.coldGroups, ...policy.hotGroups];
  for (const group of groups) fleet.live.set(functionName(group), '1');

  fleet.onReady = (name, version) => {
    const group = name.slice(policy.functionPrefix.length);
    const report = async (): Promise<void> => {
      const [row] = await catalog.listGroups([group]);
      const reports = (row?.models ?? []).map((model) => ({
        model,
        tookMs: 40,
        atMs: nowMs,
        ...(world.failsToOpen.has(`${model}@${version}`) ? { error: 'bad graph' } : {}),
      }));
      opened.set(`${name}:${version}`, new Set(row?.models));
      catalog.report(group, version, reports);
    };
    coming.push({ atMs: nowMs + world.reportDelayMs, report });
  };

  const advance = async (): Promise<void> => {
    fleet.advance();
    const due = coming.filter(({ atMs }) => atMs <= nowMs);
    coming = coming.filter(({ atMs }) => atMs > nowMs);
    for (const { report } of due) await report();
  };

  /** Whether a call of it has to wait in this slot: there is no worker, or none that has opened it. */
  const isCold = (model: string, target: string, workers: number): boolean => {
    if (workers === 0) return true;
    const loadMs = store.rows.get(model)?.loadMs ?? Number.POSITIVE_INFINITY;
    return loadMs > policy.lazyLoadMs && opened.get(target)?.has(model) !== true;
  };

  const scaler = (owner = 'a') =>
    createScaler({
      catalog,
      store,
      fleet,
      metrics,
      metricNames: NAMES,
      policy,
      deployment: world.deployment,
      owner,
      now,
      pace: async () => undefined,
      onFault: (error) => faults.push(error),
    });

  const servedNow = (): MinuteServed => {
    const key = Math.floor(minute());
    const found = served.get(key) ?? { calls: 0, slow: 0, coldSlot: 0, errors: 0 };
    served.set(key, found);
    return found;
  };

  const serve = (): void => {
    const seconds = STEP_MS / 1000;
    const here = minute();
    const asked = Object.entries(world.traffic)
      .map(([model, { rate, callSeconds, slowShare = 0.02 }]) => ({
        model,
        callsPerSecond: rate(here),
        callSeconds,
        slowShare,
      }))
      .filter(({ callsPerSecond }) => callsPerSecond > 0);
    const total = asked.reduce((all, { callsPerSecond }) => all + callsPerSecond, 0);
    if (total > 0) metrics.add('Invocations', { FunctionName: NAMES.routerFunction }, total * seconds);

    const byGroup = Map.groupBy(asked, ({ model }) => {
      const slot = held?.hot.get(model);
      if (slot !== undefined) return `${slot.functionName}:${slot.qualifier}`;
      const home = rankGroups(model, held?.coldGroups ?? policy.coldGroups)[0] ?? '';
      return `${functionName(home)}:${fleet.live.get(functionName(home))}`;
    });
    for (const [target, models] of byGroup) {
      const [name = '', version = ''] = target.split(':');
      const group = name.slice(policy.functionPrefix.length);
      const callsPerSecond = models.reduce((all, each) => all + each.callsPerSecond, 0);
      const erlangs = models.reduce((all, each) => all + each.callsPerSecond * each.callSeconds, 0);
      const workers = fleet.workers(name, version);
      const carried = carriedBy(workers, { callsPerSecond, erlangs, callSeconds: erlangs / callsPerSecond });
      const onDemandShare = 1 - carried / callsPerSecond;
      const slow = models.reduce(
        (all, each) => all + each.callsPerSecond * onDemandShare * each.slowShare * seconds,
        0,
      );
      const now_ = servedNow();
      now_.calls += callsPerSecond * seconds;
      now_.slow += slow;
      if (policy.hotGroups.includes(group)) {
        for (const each of models) {
          if (isCold(each.model, target, workers)) now_.coldSlot += each.callsPerSecond * seconds;
        }
      }
      if (!fleet.live.has(name)) now_.errors += callsPerSecond * seconds;

      const startMs = slow * 80;
      const ofGroup = { EndpointName: NAMES.endpointName, Group: group };
      metrics.add('Invocations', { FunctionName: name }, callsPerSecond * seconds);
      metrics.add('Duration', { FunctionName: name }, 1000 * erlangs * seconds + startMs);
      if (carried > 0)
        metrics.add('ProvisionedConcurrencyInvocations', { FunctionName: name }, carried * seconds);
      metrics.add('ModelLoadingWaitTime', ofGroup, 1000 * startMs);
      metrics.add('OnDemandStartTime', ofGroup, 1000 * startMs);
      metrics.add('OnDemandStartTime', ofGroup, slow, 'SampleCount');
      metrics.add('ModelMemoryUtilization', ofGroup, 20, 'Maximum');
      const workersBusy = Math.max(1, Math.ceil(erlangs), workers);
      for (const each of models) {
        const busy = each.callsPerSecond * each.callSeconds;
        if (busy < 0.1 * erlangs || (60 * each.callsPerSecond) / workersBusy < 20) continue;
        const ofModel = { EndpointName: NAMES.endpointName, Model: each.model };
        metrics.add('ModelInvocations', ofModel, each.callsPerSecond * seconds);
        metrics.add('ModelBusySeconds', ofModel, busy * seconds);
      }
    }
  };

  const tick = async (owner?: string): Promise<TickReport> => {
    metrics.add('Invocations', { FunctionName: NAMES.scalerFunction }, 1);
    const report = await scaler(owner)();
    reports.push(report);
    return report;
  };

  return {
    policy,
    metrics,
    fleet,
    catalog,
    store,
    reports,
    faults,
    served,
    world,
    now,
    minute,
    tick,
    scaler,
    /** Lets time pass, with a tick at the start of every minute. */
    async run(minutes: number, onMinute: (minute: number) => void | Promise<void> = () => undefined) {
      const untilMs = nowMs + minutes * 60_000;
      while (nowMs < untilMs) {
        await advance();
        held = (await catalog.readRoutes()) ?? held;
        if (nowMs % TICK_MS === 0) {
          await onMinute(Math.round(minute()));
          if (world.ticks) await tick();
        }
        serve();
        nowMs += STEP_MS;
      }
    },
    /** What callers got from one minute up to another. */
    servedBetween(from: number, to: number): MinuteServed {
      const all = { calls: 0, slow: 0, coldSlot: 0, errors: 0 };
      for (const [each, { calls, slow, coldSlot, errors }] of served) {
        if (each < from || each >= to) continue;
        all.calls += calls;
        all.slow += slow;
        all.coldSlot += coldSlot;
        all.errors += errors;
      }
      return all;
    },
    workersOf: (group: string, version = '1') => fleet.workers(functionName(group), version),
    async hotModels() {
      return [...((await catalog.readRoutes())?.hot.keys() ?? [])];
    },
    workers: () =>
      groups.reduce(
        (all, group) => all + fleet.workers(functionName(group), fleet.live.get(functionName(group)) ?? ''),
        0,
      ),
  };
};
