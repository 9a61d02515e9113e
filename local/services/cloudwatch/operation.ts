import type { Fields } from './fields.ts';
import type { MetricStore } from './metric-store.ts';
import type { ChooseVisibility } from './settling.ts';

export interface OperationContext {
  readonly store: MetricStore;
  readonly chooseVisibility: ChooseVisibility;
  readonly nowMs: number;
}

/** What each protocol writes in its own way; `undefined` is left out. */
export type Answer = string | number | boolean | Date | undefined | readonly Answer[] | AnswerFields;
export interface AnswerFields {
  readonly [name: string]: Answer;
}

/** One operation of the API, without a protocol. @throws CloudWatchError */
export type Operation = (input: Fields, context: OperationContext) => AnswerFields;
