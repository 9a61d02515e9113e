import type { MetricQuery, MetricReader, Points, Window } from './metric-reader.ts';
import { FRESH_MINUTES, type GroupSeen, type Minutes, type ModelSeen, SEEN_MINUTES } from './observation.ts';
import type { MetricNames } from './observe.ts';
import type { Policy } from './policy.ts';
import type { DataClock } from './read-clock.ts';
import { groupOf, modelsOf, type ScalerState } from './state.ts';
import { activeGroups } from './tiers.ts';

const MAX_CANDIDATES = 500;

export interface DemandAsked {
  readonly metrics: MetricReader;
  readonly names: MetricNames;
  readonly clock: DataClock & { readonly settledMinute: number };
  readonly nowMs: number;
}

export interface DemandSeen {
  readonly groups: ReadonlyMap<string, GroupSeen>;
  readonly models: ReadonlyMap<string, ModelSeen>;
}

/** R2 and R6. Reads the other metrics only of groups that were called. */
export const readDemand = async (
  { metrics, names, clock, nowMs }: DemandAsked,
  state: ScalerState,
  policy: Policy,
): Promise<DemandSeen> => {
  const { minuteMs, functionPrefix } = policy;
  const { settledMinute, known } = clock;
  const window: Window = {
    fromMs: (settledMinute - SEEN_MINUTES + 1) * minuteMs,
    toMs: (Math.floor(nowMs / minuteMs) + 1) * minuteMs,
    periodMs: minuteMs,
  };
  const first = settledMinute - SEEN_MINUTES + 1;
  const isKnown = Array.from({ length: SEEN_MINUTES }, (_, index) => known.has(first + index));
  const at = (points: Points, minute: number): number => points.get(minute * minuteMs) ?? 0;
  const toMinutes = (points: Points = new Map()): Minutes =>
    fillGaps(
      Array.from({ length: SEEN_MINUTES }, (_, index) => at(points, first + index)),
      isKnown,
    );
  const toFresh = (points: Points = new Map()): Minutes =>
    Array.from({ length: FRESH_MINUTES }, (_, index) => at(points, settledMinute + 1 + index));

  const groups = groupsInUse(state, policy);
  const ofFunction = lambdaMetric(functionPrefix);
  const calls = await metrics.read(
    groups.map((group) => ofFunction(group, 'Invocations')),
    window,
  );
  const called = groups.flatMap((group, index) => {
    const points = calls[index];
    return points === undefined || points.size === 0 ? [] : [{ group, calls: toMinutes(points) }];
  });

  const PER_GROUP = (group: string): readonly MetricQuery[] => [
    ofFunction(group, 'Duration'),
    ofFunction(group, 'ProvisionedConcurrencyInvocations'),
    ownMetric(names, group, 'ModelLoadingWaitTime', 'Sum'),
    ownMetric(names, group, 'OnDemandStartTime', 'Sum'),
    ownMetric(names, group, 'OnDemandStartTime', 'SampleCount'),
    ownMetric(names, group, 'ModelMemoryUtilization', 'Maximum'),
  ];
  const [details, models] = await Promise.all([
    called.length === 0
      ? []
      : metrics.read(
          called.flatMap(({ group }) => PER_GROUP(group)),
          window,
        ),
    called.length === 0
      ? new Map<string, ModelSeen>()
      : readModels(metrics, names, window, { toMinutes, toFresh }),
  ]);
  const width = PER_GROUP('').length;
  const seen = called.map(({ group, calls }, index): [string, GroupSeen] => {
    const [busy, provisioned, load, start, slow, memory] = details.slice(index * width, (index + 1) * width);
    return [
      group,
      {
        calls,
        busyMs: toMinutes(busy),
        provisioned: toMinutes(provisioned),
        loadMs: toMinutes(load).map(fromMicros),
        startMs: toMinutes(start).map(fromMicros),
        slow: toMinutes(slow),
        memoryUse: toMinutes(memory).map((percent) => percent / 100),
      },
    ];
  });
  return { groups: new Map(seen), models };
};

/**
 * R1. A minute of which there is no word at all is taken for the busier of its neighbours: an outage of CloudWatch must not look
 * like callers who have gone.
 */
const fillGaps = (minutes: Minutes, isKnown: readonly boolean[]): Minutes => {
  const before = (index: number): number => {
    const found = isKnown.lastIndexOf(true, index);
    return found < 0 ? 0 : (minutes[found] ?? 0);
  };
  const after = (index: number): number => {
    const found = isKnown.indexOf(true, index);
    return found < 0 ? 0 : (minutes[found] ?? 0);
  };
  return minutes.map((value, index) =>
    isKnown[index] ? value : Math.max(value, before(index), after(index)),
  );
};

const fromMicros = (micros: number): number => micros / 1000;

/** Active shards, slots with models, and whatever still has workers. */
const groupsInUse = (state: ScalerState, policy: Policy): readonly string[] => {
  const active = new Set(activeGroups(state, policy));
  return [...policy.coldGroups, ...policy.hotGroups].filter((group) => {
    const { wanted, allocations } = groupOf(state, group);
    return active.has(group) || wanted > 0 || allocations.length > 0 || modelsOf(state, group).length > 0;
  });
};

/** By function, not by alias or version: so a deployment does not interrupt the series. */
const lambdaMetric =
  (functionPrefix: string) =>
  (group: string, name: string): MetricQuery => ({
    namespace: 'AWS/Lambda',
    name,
    dimensions: { FunctionName: functionPrefix + group },
    statistic: 'Sum',
  });

const ownMetric = (
  { namespace, endpointName }: MetricNames,
  group: string,
  name: string,
  statistic: MetricQuery['statistic'],
): MetricQuery => ({
  namespace,
  name,
  dimensions: { EndpointName: endpointName, Group: group },
  statistic,
});

const readModels = async (
  metrics: MetricReader,
  { namespace, endpointName }: MetricNames,
  window: Window,
  { toMinutes, toFresh }: Record<'toMinutes' | 'toFresh', (points: Points | undefined) => Minutes>,
): Promise<ReadonlyMap<string, ModelSeen>> => {
  const top = (name: string) => ({
    namespace,
    name,
    dimensions: { EndpointName: endpointName },
    by: 'Model',
    limit: MAX_CANDIDATES,
  });
  const [calls, busy] = await Promise.all([
    metrics.readTop(top('ModelInvocations'), window),
    metrics.readTop(top('ModelBusySeconds'), window),
  ]);
  const names = new Set([...calls.keys(), ...busy.keys()]);
  return new Map(
    [...names].map((model) => [
      model,
      {
        calls: toMinutes(calls.get(model)),
        busySeconds: toMinutes(busy.get(model)),
        fresh: { calls: toFresh(calls.get(model)), busySeconds: toFresh(busy.get(model)) },
      },
    ]),
  );
};
