import type { Catalog } from '../catalog/catalog.ts';
import { noteBad, noteFailure } from './allocations.ts';
import type { Call } from './calls.ts';
import type { Plan } from './decide.ts';
import { deriveRoutes } from './derive-routes.ts';
import { ControlPlaneBusy, type Fleet, Refused } from './fleet.ts';
import type { Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import type { ScalerStore } from './scaler-store.ts';
import { groupOf, modelsOf, replaceGroup, type ScalerState } from './state.ts';

/** R10. With 20 looks and one at the account, 40 calls in a tick. */
const MAX_CALLS = 19;

export interface ApplyDeps {
  readonly catalog: Pick<Catalog, 'putGroup' | 'writeRoutes' | 'forgetPreloads'>;
  readonly store: Pick<ScalerStore, 'writeState'>;
  readonly fleet: Fleet;
  /** Waits until Lambda's control plane may be asked again. */
  readonly pace: () => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

export interface Applied {
  /** `outrun`: another scaler has decided since; nothing was done. */
  readonly outcome: 'done' | 'outrun';
  readonly calls: number;
  /** Calls left to the next tick. */
  readonly left: number;
  readonly routes: 'written' | 'kept' | 'outrun';
}

/**
 * Makes it so: first what was decided, then what workers will load ahead, then workers, then routes. Whatever this leaves
 * undone when it is killed, the next tick finds undone.
 */
export const apply = async (
  before: ScalerState,
  plan: Plan,
  observation: Observation,
  policy: Policy,
  deps: ApplyDeps,
): Promise<Applied> => {
  const isChanged = plan.state !== before;
  const state = isChanged ? { ...plan.state, epoch: before.epoch + 1 } : before;
  if (isChanged && !(await deps.store.writeState(state, before.epoch))) {
    return { outcome: 'outrun', calls: 0, left: plan.calls.length, routes: 'outrun' };
  }
  await writeGroups(before, state, plan.calls, policy, deps);
  // Before the workers of a version go that calls may still be led to.
  const routes = await writeRoutes(observation, state, policy, deps);
  const { made, refused } = await makeCalls(plan.calls, policy, deps);
  await noteRefused(state, refused, observation.nowMs, policy, deps);
  await forgetOldReports(state, observation, deps);
  return { outcome: 'done', calls: made, left: plan.calls.length - made, routes };
};

/** What Lambda will not have is a failure like an allocation that does not come: it is tried again later, not each minute. */
const noteRefused = async (
  state: ScalerState,
  refused: readonly Call[],
  nowMs: number,
  { minuteMs }: Policy,
  { store }: ApplyDeps,
): Promise<void> => {
  if (refused.length === 0) return;
  let next = { ...state, epoch: state.epoch + 1 };
  for (const { group, version } of refused) {
    const record = groupOf(next, group);
    next = replaceGroup(
      next,
      group,
      version === record.version
        ? noteFailure(record, nowMs, minuteMs)
        : noteBad(record, version, nowMs, minuteMs),
    );
  }
  await store.writeState(next, state.epoch);
};

/** Each version that a slot has had leaves a report in its row, which must not grow for ever. */
const forgetOldReports = async (
  state: ScalerState,
  { preloads }: Observation,
  { catalog }: ApplyDeps,
): Promise<void> => {
  for (const [name, reports] of preloads) {
    const { version, liveVersion, leaving } = groupOf(state, name);
    const known = new Set([version, liveVersion, ...leaving.map((each) => each.version)]);
    const old = [...reports.keys()].filter((each) => !known.has(each));
    if (version !== undefined && old.length > 0) await catalog.forgetPreloads(name, old);
  }
};

/** A slot's row names its models, for workers to load ahead: before any worker is asked for. */
const writeGroups = async (
  before: ScalerState,
  state: ScalerState,
  calls: readonly Call[],
  { coldGroups, hotGroups, functionPrefix }: Policy,
  { catalog }: ApplyDeps,
): Promise<void> => {
  const asked = new Set(calls.filter(({ kind }) => kind === 'put').map(({ group }) => group));
  for (const name of [...coldGroups, ...hotGroups]) {
    const models = residents(state, name);
    const { wanted } = groupOf(state, name);
    const isSame = groupOf(before, name).wanted === wanted && sameNames(residents(before, name), models);
    if (isSame && !asked.has(name)) continue;
    const tier = hotGroups.includes(name) ? 'hot' : 'cold';
    await catalog.putGroup({ name, tier, functionName: functionPrefix + name, workers: wanted, models });
  }
};

const residents = (state: ScalerState, name: string): readonly string[] =>
  modelsOf(state, name).flatMap(([model, { stage }]) => (stage === 'draining' ? [] : [model]));

const sameNames = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((name, index) => name === right[index]);

const writeRoutes = async (
  { routes: current }: Observation,
  state: ScalerState,
  policy: Policy,
  { catalog }: ApplyDeps,
): Promise<Applied['routes']> => {
  const routes = deriveRoutes(current, state, policy);
  if (routes === undefined) return 'kept';
  return (await catalog.writeRoutes(routes, current?.epoch)) ? 'written' : 'outrun';
};

const makeCalls = async (
  calls: readonly Call[],
  { functionPrefix }: Policy,
  { fleet, pace, onFault }: ApplyDeps,
): Promise<{ readonly made: number; readonly refused: readonly Call[] }> => {
  let made = 0;
  const refused: Call[] = [];
  for (const call of calls.slice(0, MAX_CALLS)) {
    await pace();
    try {
      const functionName = functionPrefix + call.group;
      if (call.kind === 'put') await fleet.put(functionName, call.version, call.workers);
      else await fleet.remove(functionName, call.version);
      made++;
    } catch (error) {
      if (error instanceof ControlPlaneBusy) break;
      // Another group's workers must not wait for one that Lambda refuses.
      onFault(error);
      if (!(error instanceof Refused)) break;
      if (call.kind === 'put') refused.push(call);
    }
  }
  return { made, refused };
};
