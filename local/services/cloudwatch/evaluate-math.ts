import { CloudWatchError } from './cloudwatch-error.ts';
import type { MathNode, Operator } from './math-expression.ts';
import { floorTo } from './metric-store.ts';
import type { TimeSeries } from './time-series.ts';

export interface MathContext {
  readonly startMs: number;
  readonly endMs: number;
  /** What another query of the call gives. @throws CloudWatchError for an unknown id. */
  readonly resolve: (id: string) => readonly TimeSeries[];
}

const MAX_FILLED_POINTS = 100_800;

/** @throws CloudWatchError ValidationError when the result is no single time series. */
export const evaluateMath = (root: MathNode, context: MathContext): TimeSeries => {
  const value = evaluate(root, context);
  if (typeof value === 'number') throw invalid('the expression has no metric in it');
  return single(value);
};

type Value = number | readonly TimeSeries[];

const evaluate = (node: MathNode, context: MathContext): Value => {
  switch (node.kind) {
    case 'number':
      return node.value;
    case 'id':
      return context.resolve(node.id);
    case 'fill':
      return [fill(single(evaluate(node.of, context)), node.value, context)];
    case 'sum':
      return [add(node.of.flatMap((each) => asSeries(evaluate(each, context))))];
    case 'binary':
      return combine(evaluate(node.left, context), evaluate(node.right, context), node.operator);
  }
};

const invalid = (problem: string): CloudWatchError =>
  new CloudWatchError('ValidationError', `Invalid math: ${problem}.`);

const asSeries = (value: Value): readonly TimeSeries[] => {
  if (typeof value === 'number') throw invalid('FILL and SUM take metrics, not numbers');
  return value;
};

const single = (value: Value): TimeSeries => {
  const [series, ...more] = asSeries(value);
  if (series === undefined || more.length > 0) {
    throw invalid('arithmetic takes one time series per id; SUM adds up what a query with several gives');
  }
  return series;
};

const combine = (left: Value, right: Value, operator: Operator): Value => {
  const apply = OPERATORS[operator];
  if (typeof left === 'number') {
    return typeof right === 'number'
      ? apply(left, right)
      : [mapValues(single(right), (value) => apply(left, value))];
  }
  const series = single(left);
  if (typeof right === 'number') return [mapValues(series, (value) => apply(value, right))];
  const other = single(right);
  const periodMs = Math.max(series.periodMs, other.periodMs);
  // Only where both have a value: a point that is absent on one side is absent in the result.
  return [
    mapValues({ ...series, periodMs }, (value, timeMs) =>
      apply(value, other.values.get(timeMs) ?? Number.NaN),
    ),
  ];
};

const OPERATORS: Readonly<Record<Operator, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
};

/** What is no number afterwards, as divided by 0, is no point either. */
const mapValues = (series: TimeSeries, map: (value: number, timeMs: number) => number): TimeSeries => ({
  ...series,
  values: new Map(
    [...series.values]
      .map(([timeMs, value]) => [timeMs, map(value, timeMs)] as const)
      .filter(([, value]) => Number.isFinite(value)),
  ),
});

/** A point wherever any has one. */
const add = (all: readonly TimeSeries[]): TimeSeries => {
  const values = new Map<number, number>();
  for (const series of all) {
    for (const [timeMs, value] of series.values) values.set(timeMs, (values.get(timeMs) ?? 0) + value);
  }
  return { label: '', periodMs: Math.max(0, ...all.map(({ periodMs }) => periodMs)), values };
};

const fill = (series: TimeSeries, value: number, { startMs, endMs }: MathContext): TimeSeries => {
  const { periodMs } = series;
  if (periodMs === 0) return series;
  const firstMs = floorTo(startMs, periodMs);
  if ((endMs - firstMs) / periodMs > MAX_FILLED_POINTS) {
    throw invalid(`FILL makes at most ${MAX_FILLED_POINTS} points; ask for less time or a longer period`);
  }
  const values = new Map(series.values);
  for (let timeMs = firstMs; timeMs < endMs; timeMs += periodMs) {
    if (!values.has(timeMs)) values.set(timeMs, value);
  }
  return { ...series, values };
};
