import { ServingError } from '../../errors.ts';
import type { RunContext, Tensor, Value } from '../engine.ts';
import { ensemble } from './ensemble.ts';
import type { Expression, Workflow } from './parse-workflow.ts';

/** A value, or the list that `functionsApply` makes. */
type Result = Value | readonly Value[];

/** Runs the model of a step on what the steps before it gave. */
export type RunPart = (step: string, args: readonly Value[], context: RunContext) => Promise<Value>;

/** Every value once, when it is first needed, and all that do not need each other at the same time. */
export const runWorkflow = async (
  workflow: Workflow,
  runPart: RunPart,
  request: Value,
  context: RunContext,
): Promise<Value> => {
  const results = new Map<string, Promise<Result>>([['in', Promise.resolve(request)]]);

  const resolve = (name: string): Promise<Result> => {
    const known = results.get(name);
    if (known !== undefined) return known;
    const expression = workflow.values.get(name);
    // `parseWorkflow` has seen to it that there is one.
    const result =
      expression === undefined ? Promise.reject(new Error(`no value ${name}`)) : evaluate(expression);
    results.set(name, result);
    return result;
  };

  const evaluate = async (expression: Expression): Promise<Result> => {
    if (expression.kind === 'value') return resolve(expression.name);
    if (expression.kind === 'each') {
      const arg = one(await evaluate(expression.arg), 'functionsApply');
      return all(expression.steps.map(async (step) => one(await apply(step, [arg]), step)));
    }
    return apply(expression.step, await all(expression.args.map(evaluate)));
  };

  const apply = async (step: string, args: readonly Result[]): Promise<Result> => {
    if (step === 'id') return args[0] ?? [];
    const values = args.flatMap((arg) => (isList(arg) ? arg : [arg]));
    return step === 'ensemble' ? ensemble(values) : runPart(step, values, context);
  };

  return one(await resolve('out'), 'out');
};

/** Like Promise.all, but nothing still runs when it throws: models may be let go of then. */
const all = async <T>(work: readonly Promise<T>[]): Promise<readonly T[]> => {
  await Promise.allSettled(work);
  return Promise.all(work);
};

const isList = (result: Result): result is readonly Value[] =>
  Array.isArray(result) && result.length > 0 && !isTensor(result[0]);

const isTensor = (value: Tensor | Value | undefined): value is Tensor =>
  typeof value === 'object' && 'type' in value && 'shape' in value;

const one = (result: Result, where: string): Value => {
  if (!isList(result)) return result as Value;
  throw new ServingError(
    'ModelError',
    `workflow: ${where} is a list of ${result.length} answers: make one of them, for example with ensemble`,
  );
};
