import type { Decision } from '../lib/scaling/decision.ts';
import type { PlannedGroup, PlanRow } from '../lib/scaling/scaler-store.ts';
import { table } from './table.ts';

/** One line of the table, and one object of its JSON. */
export interface WorkersLine {
  /** `(cold models)` for a shard as a whole. */
  readonly model: string;
  readonly tier: string;
  readonly group: string;
  /** Ready and wanted, of the whole group. */
  readonly ready: number;
  readonly wanted: number;
  /** Workers filled in the last settled minute; of a shard, by all of its models. */
  readonly demand: number;
  /** Of the whole group; at each of its models. */
  readonly dollarsPerHour: number;
  readonly rule: string;
  readonly lastDecision: string;
  readonly why: string;
}

/** What of a plan people ask for first. Pure. */
export const workersLines = (plan: PlanRow): readonly WorkersLine[] => {
  const groups = new Map(plan.groups.map((group) => [group.group, group]));
  const decided = (about: Decision['about'], name: string): Decision | undefined =>
    plan.decisions.find((decision) => decision.about === about && decision.name === name);

  const models = plan.models.map(({ model, stage, group, filled }) => {
    const decision = decided('model', model) ?? (stage === 'cold' ? undefined : decided('group', group));
    return line(model, stage, groups.get(group), filled, stage === 'cold' ? 'none' : 'group', decision);
  });
  const shards = plan.groups
    .filter(
      ({ tier, wanted, workers, callsPerSecond }) => tier === 'cold' && wanted + workers + callsPerSecond > 0,
    )
    .map((group) =>
      line('(cold models)', 'cold', group, group.erlangs, 'group', decided('group', group.group)),
    );
  return [...models, ...shards];
};

const line = (
  model: string,
  tier: string,
  group: PlannedGroup | undefined,
  demand: number,
  pays: 'group' | 'none',
  decision: Decision | undefined,
): WorkersLine => ({
  model,
  tier,
  group: group?.group ?? '',
  ready: pays === 'none' ? 0 : (group?.ready ?? 0),
  wanted: pays === 'none' ? 0 : (group?.wanted ?? 0),
  demand,
  dollarsPerHour: pays === 'none' ? 0 : (group?.dollarsPerHour ?? 0),
  rule: decision?.rule ?? 'R6',
  lastDecision: decision?.action ?? 'stay cold',
  why: decision?.reason ?? 'it did not fill a worker often enough of late',
});

const HEADER = ['model', 'tier', 'group', 'workers', 'demand', '$/hour', 'last decision', 'why'];
const NUMBERS = new Set([3, 4, 5]);

/** @param nowMs to say how old the plan is */
export const workersText = (plan: PlanRow, nowMs: number): string => {
  const lines = workersLines(plan);
  const total = plan.groups.reduce((sum, { dollarsPerHour }) => sum + dollarsPerHour, 0);
  const workers = plan.groups.reduce((sum, group) => sum + group.workers, 0);
  const rows = lines.map((each) => [
    each.model,
    each.tier,
    each.group,
    each.ready === each.wanted ? String(each.ready) : `${each.ready} of ${each.wanted}`,
    each.demand.toFixed(2),
    each.dollarsPerHour.toFixed(4),
    `${each.rule} ${each.lastDecision}`,
    each.why,
  ]);
  return [
    ...(rows.length === 0
      ? ['Nobody has called of late, and nothing has workers.']
      : table(HEADER, rows, NUMBERS)),
    '',
    `${workers} of ${plan.budget} workers, about $${total.toFixed(3)} an hour, ${plan.activeShards} of ${plan.deployedShards} shards; as of ${ageText(nowMs - plan.atMs)}`,
  ].join('\n');
};

export const ageText = (ageMs: number): string => {
  const seconds = Math.max(0, Math.round(ageMs / 1000));
  if (seconds < 120) return `${seconds} s ago`;
  return `${Math.round(seconds / 60)} minutes ago: the scaler rests while nobody calls, or does not run`;
};
