import type { ModelRow } from '../lib/catalog/model-row.ts';
import type { Decision } from '../lib/scaling/decision.ts';
import type { PlannedGroup, PlannedModel, PlanRow } from '../lib/scaling/scaler-store.ts';
import { ageText } from './describe-workers.ts';

/** All that is known of one model. */
export interface Explanation {
  readonly model: string;
  readonly stage: string;
  readonly group?: PlannedGroup;
  readonly filled: number;
  readonly row?: ModelRow;
  /** The last ones about the model, and about its group. */
  readonly decisions: readonly Decision[];
  /** What would have to happen for it to move. */
  readonly next: string;
}

/** Pure. A model that the plan does not name is cold, and no worker has spoken of it. */
export const explainModel = (plan: PlanRow, model: string, row: ModelRow | undefined): Explanation => {
  const planned = plan.models.find((each) => each.model === model);
  const group = plan.groups.find((each) => each.group === planned?.group);
  const decisions = plan.decisions.filter(
    ({ about, name }) =>
      (about === 'model' && name === model) || (about === 'group' && name === planned?.group),
  );
  return {
    model,
    stage: planned?.stage ?? 'cold',
    ...(group === undefined ? {} : { group }),
    filled: planned?.filled ?? 0,
    ...(row === undefined ? {} : { row }),
    decisions,
    next: whatNext(planned, row),
  };
};

const whatNext = (planned: PlannedModel | undefined, row: ModelRow | undefined): string => {
  switch (planned?.stage) {
    case 'warming':
      return 'Its calls go to the slot as soon as the workers there are ready and have opened it.';
    case 'hot':
      if (row?.pinned === true) return 'It is pinned: it stays.';
      return `It leaves when it fills less than half a worker for 10 minutes, or is not called for ${row?.maxIdleSeconds ?? 600} s.`;
    case 'draining':
      return 'It is cold as soon as no call can be on its way to the slot.';
    default:
      return 'It gets workers when it fills one in 3 of 5 minutes, or four in 2 of 5 (a call counts as 0.1 s at least), and one is worth its price.';
  }
};

export const explanationText = (explained: Explanation, plan: PlanRow, nowMs: number): string => {
  const { model, stage, group, filled, row, decisions, next } = explained;
  return [
    `${model}: ${stage}${group === undefined ? ', served by its home shard' : `, ${group.tier === 'hot' ? 'slot' : 'shard'} ${group.group}`}`,
    `  demand      ${filled === 0 ? 'too little for any worker to speak of' : `fills ${filled} workers`}`,
    ...(group === undefined
      ? []
      : [
          `  workers     ${group.ready} ready of ${group.wanted} wanted${group.version === undefined ? '' : `, version ${group.version}`}; about $${group.dollarsPerHour} an hour for the group`,
        ]),
    ...rowLines(row),
    ...decisions.flatMap(decisionLines),
    `  next        ${next}`,
    `As of ${ageText(nowMs - plan.atMs)}.`,
  ].join('\n');
};

const rowLines = (row: ModelRow | undefined): readonly string[] => {
  if (row === undefined) return [];
  const { model: _, ...known } = row;
  const text = Object.entries(known).map(([name, value]) => `${name} ${String(value)}`);
  return text.length === 0 ? [] : [`  known       ${text.join(', ')}`];
};

const decisionLines = (decision: Decision): readonly string[] => {
  const { rule, name, about, action, reason, inputs, dollarsBefore, dollarsAfter } = decision;
  const figures = Object.entries(inputs).map(([key, value]) => `${key} ${value}`);
  const dollars =
    dollarsBefore === undefined || dollarsAfter === undefined
      ? []
      : [
          dollarsBefore === dollarsAfter
            ? `$${dollarsAfter} an hour`
            : `$${dollarsBefore} -> $${dollarsAfter} an hour`,
        ];
  return [
    `  ${rule.padEnd(11)} ${about === 'group' ? `${name}: ` : ''}${action}: ${reason}`,
    ...(figures.length + dollars.length === 0
      ? []
      : [`              ${[...figures, ...dollars].join(', ')}`]),
  ];
};
