import type { Decision } from './decision.ts';
import type { FleetSeen, Observation } from './observation.ts';
import type { Policy } from './policy.ts';
import { type GroupRecord, groupOf, replaceGroup, type ScalerState } from './state.ts';
import type { Step } from './step.ts';

const STUCK_MINUTES = 15;
const MAX_PAUSE_MINUTES = 30;
const FAILURES_TO_QUARANTINE = 3;
const QUARANTINE_MINUTES = 60;

/**
 * What Lambda said of the groups that were looked at goes into their records. R5: an allocation that failed, or has been in
 * progress for a quarter of an hour, is a failure; after three the group is left alone for an hour.
 */
export const noteFleet = (before: ScalerState, { fleet, nowMs }: Observation, policy: Policy): Step => {
  const decisions: Decision[] = [];
  let state = before;
  for (const [name, seen] of fleet) {
    const record = noteSeen(groupOf(state, name), seen, nowMs);
    // A failed one stays in sight until it is deleted, and is one failure all the same.
    const isKnown = whyPaused(record, nowMs) !== undefined;
    const failed = isKnown ? undefined : whyFailed(record, nowMs, policy.minuteMs);
    const next = failed === undefined ? record : noteFailure(record, nowMs, policy.minuteMs);
    state = replaceGroup(state, name, next);
    if (failed !== undefined) decisions.push(describeFailure(name, next, failed));
  }
  return { state, decisions };
};

const noteSeen = (record: GroupRecord, seen: FleetSeen, nowMs: number): GroupRecord => {
  const { allocations } = seen;
  const isPending = allocations.some(({ status }) => status === 'IN_PROGRESS');
  const { pendingSinceMs, ...rest } = record;
  return {
    ...rest,
    allocations,
    ...(isPending ? { pendingSinceMs: pendingSinceMs ?? nowMs } : {}),
    ...(allocations.some(isServing) ? { failures: 0 } : {}),
    ...(seen.liveVersion === undefined ? {} : { liveVersion: seen.liveVersion, lookedAtMs: nowMs }),
    ...(record.version === undefined && seen.liveVersion !== undefined ? { version: seen.liveVersion } : {}),
  };
};

const isServing = ({ status }: { readonly status: string }): boolean => status === 'READY';

const whyFailed = (record: GroupRecord, nowMs: number, minuteMs: number): string | undefined => {
  const failed = record.allocations.find(({ status }) => status === 'FAILED');
  if (failed !== undefined) return failed.reason ?? 'Lambda gives no reason';
  const { pendingSinceMs = nowMs } = record;
  return nowMs - pendingSinceMs > STUCK_MINUTES * minuteMs
    ? `in progress for more than ${STUCK_MINUTES} minutes`
    : undefined;
};

const noteFailure = (record: GroupRecord, nowMs: number, minuteMs: number): GroupRecord => {
  const failures = record.failures + 1;
  const { pendingSinceMs: _, ...rest } = record;
  if (failures >= FAILURES_TO_QUARANTINE) {
    return { ...rest, wanted: 0, failures: 0, quarantinedUntilMs: nowMs + QUARANTINE_MINUTES * minuteMs };
  }
  const pauseMinutes = Math.min(MAX_PAUSE_MINUTES, 2 ** failures);
  return { ...rest, wanted: 0, failures, retryAtMs: nowMs + pauseMinutes * minuteMs };
};

const describeFailure = (name: string, record: GroupRecord, why: string): Decision => ({
  rule: 'R5',
  about: 'group',
  name,
  action: record.failures > 0 ? 'delete and try again later' : 'quarantine for an hour',
  reason: `its workers did not come: ${why}`,
  inputs: { failures: record.failures },
  isMove: true,
});

/** Whether a group must be left without workers for now, and why. */
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

export const isPending = ({ allocations }: GroupRecord): boolean =>
  allocations.some(({ status }) => status === 'IN_PROGRESS');
