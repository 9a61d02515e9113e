/** What was decided about one group, model or the whole, and why: by rule, with what went in and what it costs. */
export interface Decision {
  /** Of docs/scaling.md, e.g. `R5`. */
  readonly rule: string;
  readonly about: 'fleet' | 'group' | 'model';
  readonly name: string;
  /** In words, e.g. `3 -> 5 workers`, `hold`, `promote`. */
  readonly action: string;
  /** A sentence for people. */
  readonly reason: string;
  readonly inputs: Readonly<Record<string, number | string>>;
  /** Dollars per hour, as things were and as they will be. */
  readonly dollarsBefore?: number;
  readonly dollarsAfter?: number;
  /** Whether anything changes by it. */
  readonly isMove: boolean;
}

/** Figures for people: three digits that mean something. */
export const brief = (value: number): number => (value === 0 ? 0 : Number(value.toPrecision(3)));
