import { availableOf } from './allocations.ts';
import type { Decision } from './decision.ts';
import type { Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import { type GroupRecord, groupOf, modelsOf, type ScalerState, withGroup } from './state.ts';
import type { Step } from './step.ts';

/**
 * A deployment moves alias `live`, which only signals. A slot with models goes to the new version when workers of it are
 * ready and have opened what the old ones serve; its old workers stay until nobody can be calling them. Everything else
 * follows at once: cold shards are called by the alias, and empty slots by nobody.
 */
export const followVersions = (before: ScalerState, observation: Observation, policy: Policy): Step => {
  const decisions: Decision[] = [];
  let state = before;
  for (const name of [...policy.coldGroups, ...policy.hotGroups]) {
    const moved = follow(state, name, observation, policy);
    if (moved === undefined) continue;
    state = withGroup(state, name, moved.change);
    if (moved.decision !== undefined) decisions.push(moved.decision);
  }
  return { state, decisions };
};

type Change = Parameters<typeof withGroup>[2];

const follow = (
  state: ScalerState,
  name: string,
  observation: Observation,
  policy: Policy,
): { readonly change: Change; readonly decision?: Decision } | undefined => {
  const record = groupOf(state, name);
  const { liveVersion, version } = record;
  if (liveVersion === undefined || version === undefined) return undefined;
  if (liveVersion === version) return drainOld(name, record, observation, policy);

  const hot = modelsOf(state, name).filter(([, { stage }]) => stage === 'hot');
  if (hot.length === 0) {
    return {
      change: { version: liveVersion },
      decision: say(name, version, liveVersion, 'nobody calls it by number'),
    };
  }
  if (record.badVersion === liveVersion || availableOf(record, liveVersion) === 0) return undefined;
  const reports = observation.preloads.get(name)?.get(liveVersion) ?? [];
  const failed = reports.find(
    ({ model, error }) => error !== undefined && hot.some(([each]) => each === model),
  );
  if (failed !== undefined) {
    return {
      change: { badVersion: liveVersion },
      decision: {
        ...say(name, version, version, `version ${liveVersion} cannot open ${failed.model}: ${failed.error}`),
        action: `stay on version ${version}`,
      },
    };
  }
  if (!hot.every(([model]) => reports.some((report) => report.model === model))) return undefined;
  return {
    change: { version: liveVersion, leaving: [...record.leaving, { version }] },
    decision: say(
      name,
      version,
      liveVersion,
      'workers of the new version are ready and have opened its models',
    ),
  };
};

/** Old workers go when routes have not named their version for long enough. */
const drainOld = (
  name: string,
  { leaving, version }: GroupRecord,
  { nowMs, routes }: Observation,
  { drainMs, functionPrefix }: Policy,
): { readonly change: Change } | undefined => {
  if (leaving.length === 0) return undefined;
  const isRouted = (old: string): boolean =>
    [...(routes?.hot.values() ?? [])].some(
      ({ functionName, qualifier }) => functionName === functionPrefix + name && qualifier === old,
    );
  const next = leaving
    .filter((each) => each.version !== version)
    .map((each) => {
      if (isRouted(each.version)) return { version: each.version };
      return { version: each.version, routedAwayAtMs: each.routedAwayAtMs ?? nowMs };
    })
    .filter(({ routedAwayAtMs }) => routedAwayAtMs === undefined || nowMs - routedAwayAtMs < drainMs);
  return { change: { leaving: next } };
};

const say = (name: string, from: string, to: string, reason: string): Decision => ({
  rule: 'versions',
  about: 'group',
  name,
  action: `version ${from} -> ${to}`,
  reason,
  inputs: {},
  isMove: true,
});
