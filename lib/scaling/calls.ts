import { isBad, isUnseen, requestedOf, whyPaused } from './allocations.ts';
import type { Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import { type GroupRecord, groupOf, type ScalerState } from './state.ts';

interface Put {
  readonly kind: 'put';
  readonly group: string;
  readonly version: string;
  readonly workers: number;
}

/** One call of Lambda's control plane. */
export type Call = Put | { readonly kind: 'remove'; readonly group: string; readonly version: string };

/**
 * R10. What has to be asked of Lambda so that what is there becomes what is wanted, from what was really seen: so it does
 * not matter where the tick before this one ended. Removals first, then downs, then ups.
 */
export const planCalls = (
  state: ScalerState,
  { nowMs }: Pick<Observation, 'nowMs'>,
  { coldGroups, hotGroups }: Pick<Policy, 'coldGroups' | 'hotGroups'>,
): readonly Call[] => {
  const names = [...coldGroups, ...hotGroups];
  const removals = names.flatMap((name) => planRemovals(name, groupOf(state, name), nowMs));
  const puts = names.flatMap((name) => planPuts(name, groupOf(state, name), nowMs));
  const isDown = ({ group, version, workers }: Put): boolean =>
    workers < requestedOf(groupOf(state, group), version);
  return [...removals, ...puts.filter(isDown), ...puts.filter((put) => !isDown(put))];
};

const planRemovals = (name: string, record: GroupRecord, nowMs: number): readonly Call[] =>
  knownVersions(record)
    .filter((version) => {
      if (version === record.version) return record.wanted === 0;
      if (record.leaving.some((leaving) => leaving.version === version)) return false;
      if (version !== record.liveVersion) return true;
      return isBad(record, version, nowMs) || (record.successor ?? 0) === 0;
    })
    .map((version) => ({ kind: 'remove', group: name, version }));

/** With the one that may have been asked for since: it is removed unseen. */
const knownVersions = (record: GroupRecord): readonly string[] => {
  const seen = record.allocations.map(({ version }) => version);
  const { version } = record;
  return version !== undefined && isUnseen(record) && !seen.includes(version) ? [...seen, version] : seen;
};

const planPuts = (name: string, record: GroupRecord, nowMs: number): readonly Put[] => {
  const { version, liveVersion, wanted, successor = 0 } = record;
  return [
    ...planPut(name, record, version, wanted, nowMs),
    ...(liveVersion === version ? [] : planPut(name, record, liveVersion, successor, nowMs)),
  ];
};

const planPut = (
  group: string,
  record: GroupRecord,
  version: string | undefined,
  workers: number,
  nowMs: number,
): readonly Put[] => {
  if (version === undefined || workers === 0) return [];
  const current = record.allocations.find((each) => each.version === version);
  if (current?.requested === workers && current.status !== 'FAILED') return [];
  const isPaused = whyPaused(record, nowMs) !== undefined;
  // What is on its way is waited for, unless it is given up.
  if (current?.status === 'IN_PROGRESS' && !isPaused) return [];
  if (isPaused && workers > (current?.available ?? 0)) return [];
  return [{ kind: 'put', group, version, workers }];
};
