import { isBad, isPending, isUnseen, requestedOf } from './allocations.ts';
import { ControlPlaneBusy } from './fleet.ts';
import type { FleetSeen } from './observation.ts';
import type { ObserveDeps } from './observe.ts';
import type { Policy } from './policy.ts';
import { groupOf, modelsOf, type ScalerState } from './state.ts';

const LOOK_EVERY_MINUTES = 15;

/** After a deployment aliases move one by one, for some minutes: they are looked at more often. */
const DEPLOYING_MINUTES = 10;
const LOOK_WHILE_DEPLOYING_MINUTES = 2;

/** R10. Calls of a tick that go to looking; the rest of 40 is for changing things. */
const MAX_LOOKS = 20;

/** Groups in transition, each tick; all others in turn, so that each is looked at every quarter of an hour and after a deployment. */
export const lookAtFleet = async (
  state: ScalerState,
  nowMs: number,
  policy: Policy,
  { fleet, pace, onFault }: Pick<ObserveDeps, 'fleet' | 'pace' | 'onFault'>,
): Promise<ReadonlyMap<string, FleetSeen>> => {
  const seen = new Map<string, FleetSeen>();
  let left = MAX_LOOKS;
  for (const { group, isDue } of chooseLooks(state, nowMs, policy)) {
    const cost = isDue ? 2 : 1;
    if (left < cost) break;
    left -= cost;
    try {
      seen.set(group, await lookAt(policy.functionPrefix + group, isDue, { fleet, pace }));
    } catch (error) {
      // What was seen until then is good; the next tick looks at the rest.
      if (error instanceof ControlPlaneBusy) break;
      onFault(error);
    }
  }
  return seen;
};

const lookAt = async (
  functionName: string,
  isDue: boolean,
  { fleet, pace }: Pick<ObserveDeps, 'fleet' | 'pace'>,
): Promise<FleetSeen> => {
  await pace();
  const allocations = await fleet.list(functionName);
  if (!isDue) return { allocations };
  await pace();
  const liveVersion = await fleet.liveVersion(functionName);
  return { allocations, ...(liveVersion === undefined ? {} : { liveVersion }) };
};

interface Look {
  readonly group: string;
  /** Its alias is looked at as well. */
  readonly isDue: boolean;
}

/** Pure. Those in transition first, then those that were looked at longest ago. */
export const chooseLooks = (state: ScalerState, nowMs: number, policy: Policy): readonly Look[] => {
  const { minuteMs, coldGroups, hotGroups } = policy;
  const isDeploying = nowMs - (state.deployedAtMs ?? 0) < DEPLOYING_MINUTES * minuteMs;
  const everyMs = (isDeploying ? LOOK_WHILE_DEPLOYING_MINUTES : LOOK_EVERY_MINUTES) * minuteMs;
  const looks = [...coldGroups, ...hotGroups].map((group) => {
    const { lookedAtMs = 0, listedAtMs = 0 } = groupOf(state, group);
    const isDue = nowMs - lookedAtMs >= everyMs;
    return { group, listedAtMs, isDue, isMoving: isMoving(state, group, nowMs) };
  });
  // Whoever was looked at longest ago: however many move, each has its turn.
  return looks
    .filter(({ isDue, isMoving: moves }) => isDue || moves)
    .sort((a, b) => Number(b.isMoving) - Number(a.isMoving) || a.listedAtMs - b.listedAtMs);
};

/** What is there is not, or may not be, what is wanted. */
const isMoving = (state: ScalerState, group: string, nowMs: number): boolean => {
  const record = groupOf(state, group);
  const { version, liveVersion, wanted, allocations } = record;
  return (
    isPending(record) ||
    isUnseen(record) ||
    requestedOf(record, version) !== wanted ||
    allocations.some((each) => each.version !== version || each.status === 'FAILED') ||
    (wanted > 0 && liveVersion !== version && !isBad(record, liveVersion, nowMs)) ||
    (modelsOf(state, group).length > 0 && version === undefined)
  );
};
