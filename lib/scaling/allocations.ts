import type { Decision } from './decision.ts';
import type { Allocation } from './fleet.ts';
import type { FleetSeen, Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import { type GroupRecord, groupOf, replaceGroup, type ScalerState } from './state.ts';
import type { Step } from './step.ts';

const STUCK_MINUTES = 15;
const MAX_PAUSE_MINUTES = 30;
const FAILURES_TO_QUARANTINE = 3;
const QUARANTINE_MINUTES = 60;
const BAD_VERSION_MINUTES = 30;

/**
 * What Lambda said of the groups that were looked at goes into their records. R5: an allocation that failed, or has been in
 * progress for a quarter of an hour, is a failure; after three the group gets no more workers for an hour. What serves goes on
 * serving. A failure of a version that calls are not led to yet says something of that version only.
 */
export const noteFleet = (before: ScalerState, { fleet, nowMs }: Observation, policy: Policy): Step => {
  const decisions: Decision[] = [];
  let state = before;
  for (const [name, seen] of fleet) {
    let record = noteSeen(groupOf(state, name), seen, nowMs);
    for (const allocation of record.allocations) {
      const why = whyFailed(record, allocation, nowMs, policy.minuteMs);
      if (why === undefined) continue;
      if (allocation.version !== record.version) {
        if (isBad(record, allocation.version, nowMs)) continue;
        record = noteBad(record, allocation.version, nowMs, policy.minuteMs);
        decisions.push(describeBad(name, allocation.version, why));
      } else if (whyPaused(record, nowMs) === undefined) {
        // A failed one stays in sight until it is replaced, and is one failure all the same.
        record = noteFailure(record, nowMs, policy.minuteMs);
        decisions.push(describeFailure(name, record, why));
      }
    }
    state = replaceGroup(state, name, record);
  }
  return { state, decisions };
};

const noteSeen = (
  record: GroupRecord,
  { allocations, liveVersion }: FleetSeen,
  nowMs: number,
): GroupRecord => {
  const pendingSinceMs = Object.fromEntries(
    allocations
      .filter(({ status }) => status === 'IN_PROGRESS')
      .map(({ version }) => [version, record.pendingSinceMs?.[version] ?? nowMs]),
  );
  const { failedAbove = 0 } = record;
  const hasCome = allocations.some(
    ({ version, status, available }) =>
      version === record.version && status === 'READY' && available > failedAbove,
  );
  const { version = liveVersion } = record;
  return {
    ...record,
    allocations,
    listedAtMs: nowMs,
    pendingSinceMs,
    ...(hasCome ? { failures: 0, failedAbove: 0 } : {}),
    ...(liveVersion === undefined ? {} : { liveVersion, lookedAtMs: nowMs }),
    ...(version === undefined ? {} : { version }),
  };
};

const whyFailed = (
  { pendingSinceMs = {} }: GroupRecord,
  { version, status, reason }: Allocation,
  nowMs: number,
  minuteMs: number,
): string | undefined => {
  if (status === 'FAILED') return reason ?? 'Lambda gives no reason';
  const pendingMs = nowMs - (pendingSinceMs[version] ?? nowMs);
  return pendingMs > STUCK_MINUTES * minuteMs
    ? `in progress for more than ${STUCK_MINUTES} minutes`
    : undefined;
};

/** What is there stays; for more there is a pause. */
export const noteFailure = (record: GroupRecord, nowMs: number, minuteMs: number): GroupRecord => {
  const failures = record.failures + 1;
  const available = availableOf(record, record.version);
  const kept = { ...record, wanted: available, failedAbove: available };
  if (failures >= FAILURES_TO_QUARANTINE) {
    return { ...kept, failures: 0, quarantinedUntilMs: nowMs + QUARANTINE_MINUTES * minuteMs };
  }
  const pauseMinutes = Math.min(MAX_PAUSE_MINUTES, 2 ** failures);
  return { ...kept, failures, retryAtMs: nowMs + pauseMinutes * minuteMs };
};

/** A version that gets no workers for half an hour; then it is tried again, as what was wrong may have passed. */
export const noteBad = (
  { successor: _, ...record }: GroupRecord,
  version: string,
  nowMs: number,
  minuteMs: number,
): GroupRecord => ({ ...record, bad: { version, untilMs: nowMs + BAD_VERSION_MINUTES * minuteMs } });

export const isBad = ({ bad }: GroupRecord, version: string | undefined, nowMs: number): boolean =>
  bad !== undefined && bad.version === version && nowMs < bad.untilMs;

const describeFailure = (name: string, record: GroupRecord, why: string): Decision => ({
  rule: 'R5',
  about: 'group',
  name,
  action: record.failures > 0 ? 'delete and try again later' : 'quarantine for an hour',
  reason: `its workers did not come: ${why}`,
  inputs: { failures: record.failures, kept: record.wanted },
  isMove: true,
});

const describeBad = (name: string, version: string, why: string): Decision => ({
  rule: 'versions',
  about: 'group',
  name,
  action: `no workers of version ${version} for ${BAD_VERSION_MINUTES} minutes`,
  reason: `they did not come: ${why}`,
  inputs: {},
  isMove: true,
});

/** Whether a group gets no more workers for now, and why. */
export const whyPaused = (record: GroupRecord, nowMs: number): string | undefined => {
  if (nowMs < (record.quarantinedUntilMs ?? 0)) return 'it is in quarantine after three failed allocations';
  if (nowMs < (record.retryAtMs ?? 0)) return 'its last allocation failed: it is tried again later';
  return undefined;
};

/** The provisioned concurrency asked for one version. */
export const requestedOf = ({ allocations }: GroupRecord, version: string | undefined): number =>
  allocations.find((each) => each.version === version && each.status !== 'FAILED')?.requested ?? 0;

/** Workers of one version that take calls now. */
export const availableOf = ({ allocations }: GroupRecord, version: string | undefined): number =>
  allocations.find((each) => each.version === version)?.available ?? 0;

/** Everything that is paid for in a group, old versions included. */
export const paidFor = ({ allocations }: GroupRecord): number =>
  allocations.reduce((total, { requested, status }) => total + (status === 'FAILED' ? 0 : requested), 0);

/** What the budget must count for a group: what is paid for, and what was asked for since it was looked at. */
export const committedTo = (record: GroupRecord): number => {
  const { version, liveVersion, wanted, successor = 0 } = record;
  const unseen = isUnseen(record) ? Math.max(0, wanted - requestedOf(record, version)) : 0;
  const unseenSuccessor =
    liveVersion === version ? 0 : Math.max(0, successor - requestedOf(record, liveVersion));
  return paidFor(record) + unseen + unseenSuccessor;
};

/** Whether something was asked for since it was looked at. */
export const isUnseen = ({ changedAtMs, listedAtMs = 0 }: GroupRecord): boolean =>
  changedAtMs !== undefined && changedAtMs >= listedAtMs;

export const isPending = ({ allocations }: GroupRecord): boolean =>
  allocations.some(({ status }) => status === 'IN_PROGRESS');
