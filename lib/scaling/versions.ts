import { availableOf, isBad, noteBad } from './allocations.ts';
import type { Decision } from './decision.ts';
import type { Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import { type GroupRecord, groupOf, modelsOf, replaceGroup, type ScalerState } from './state.ts';
import type { Step } from './step.ts';

/** Workers of a new version that are ready and do not name every model: a report was lost, or came before a model did. */
const REPORT_MINUTES = 20;

/**
 * A deployment moves alias `live`, which only signals. A slot with models goes to the new version when workers of it are
 * ready and have opened what the old ones serve; its old workers stay until nobody can be calling them. Everything else
 * follows at once: cold shards are called by the alias, and empty slots by nobody.
 */
export const followVersions = (before: ScalerState, observation: Observation, policy: Policy): Step => {
  const decisions: Decision[] = [];
  let state = before;
  for (const name of [...policy.coldGroups, ...policy.hotGroups]) {
    const drained = forgetDrained(groupOf(state, name), policy.functionPrefix + name, observation, policy);
    const followed = follow(state, name, drained, observation, policy);
    if (followed.record !== groupOf(state, name)) state = replaceGroup(state, name, followed.record);
    if (followed.decision !== undefined) decisions.push(followed.decision);
  }
  return { state, decisions };
};

interface Followed {
  readonly record: GroupRecord;
  readonly decision?: Decision;
}

const follow = (
  state: ScalerState,
  name: string,
  record: GroupRecord,
  { nowMs, rows, preloads }: Observation,
  { minuteMs, lazyLoadMs }: Policy,
): Followed => {
  const { liveVersion, version } = record;
  if (liveVersion === undefined || version === undefined) return { record };
  const { migratingSinceMs = nowMs, successor: _, ...rest } = record;
  if (liveVersion === version) {
    return record.migratingSinceMs === undefined ? { record } : { record: without(rest) };
  }

  const hot = modelsOf(state, name).filter(([, { stage }]) => stage === 'hot');
  if (hot.length === 0) {
    return {
      record: { ...rest, version: liveVersion },
      decision: say(name, `version ${version} -> ${liveVersion}`, 'nobody calls it by number'),
    };
  }
  const migrating = record.migratingSinceMs === undefined ? { ...record, migratingSinceMs } : record;
  if (isBad(record, liveVersion, nowMs) || availableOf(record, liveVersion) === 0)
    return { record: migrating };

  const reports = (preloads.get(name)?.get(liveVersion) ?? []).filter(
    ({ atMs = nowMs }) => atMs >= migratingSinceMs,
  );
  const failed = reports.find(
    ({ model, error }) => error !== undefined && hot.some(([each]) => each === model),
  );
  if (failed !== undefined) {
    return {
      record: noteBad(migrating, liveVersion, nowMs, minuteMs),
      decision: say(
        name,
        `stay on version ${version}`,
        `version ${liveVersion} cannot open ${failed.model}: ${failed.error}`,
      ),
    };
  }
  const isOpen = (model: string): boolean =>
    reports.some((report) => report.model === model) ||
    (rows.get(model)?.loadMs ?? Number.POSITIVE_INFINITY) <= lazyLoadMs;
  const isLate = nowMs - migratingSinceMs >= REPORT_MINUTES * minuteMs;
  if (!isLate && !hot.every(([model]) => isOpen(model))) return { record: migrating };
  return {
    record: {
      ...without(rest),
      version: liveVersion,
      wanted: Math.max(1, record.successor ?? record.wanted),
      leaving: [...record.leaving, { version }],
    },
    decision: say(
      name,
      `version ${version} -> ${liveVersion}`,
      isLate
        ? 'workers of the new version are ready, and have not said for long that they cannot open its models'
        : 'workers of the new version are ready and have opened its models',
    ),
  };
};

const without = ({ migratingSinceMs: _, successor: __, ...record }: GroupRecord): GroupRecord => record;

/** Old workers go when routes have not named their version for long enough. */
const forgetDrained = (
  record: GroupRecord,
  functionName: string,
  { nowMs, routes }: Observation,
  { drainMs }: Policy,
): GroupRecord => {
  if (record.leaving.length === 0) return record;
  const isRouted = (old: string): boolean =>
    [...(routes?.hot.values() ?? [])].some(
      (target) => target.functionName === functionName && target.qualifier === old,
    );
  const leaving = record.leaving
    .filter(({ version }) => version !== record.version)
    .map(({ version, routedAwayAtMs }) =>
      isRouted(version) ? { version } : { version, routedAwayAtMs: routedAwayAtMs ?? nowMs },
    )
    .filter(({ routedAwayAtMs }) => routedAwayAtMs === undefined || nowMs - routedAwayAtMs < drainMs);
  return { ...record, leaving };
};

/** Whether a slot's models are on their way to a new version. */
export const isMigrating = (record: GroupRecord, nowMs: number): boolean =>
  record.migratingSinceMs !== undefined &&
  record.liveVersion !== record.version &&
  !isBad(record, record.liveVersion, nowMs);

const say = (name: string, action: string, reason: string): Decision => ({
  rule: 'versions',
  about: 'group',
  name,
  action,
  reason,
  inputs: {},
  isMove: true,
});
