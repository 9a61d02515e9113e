import { ServingError } from '../../errors.ts';
import type { TensorSpec } from '../engine.ts';
import type { Expression, Workflow } from './parse-workflow.ts';

/** What a step takes or gives: tensors, or (`undefined`) a document. */
export type Specs = readonly TensorSpec[] | undefined;

/**
 * What the request must hold: all that the steps take which `in` goes to, by name. Pure.
 * @throws ServingError ModelError where two steps want different things under one name, or one tensors and the other a document.
 */
export const requestSpecs = (workflow: Workflow, inputsOf: (step: string) => Specs): Specs => {
  const consumers = new Set([...workflow.values.values()].flatMap((value) => stepsFedBy(value, workflow)));
  if (consumers.size === 0) throw invalid('gives "in" to no model');

  const taking = [...consumers].map((step) => ({ step, specs: inputsOf(step) }));
  const document = taking.find(({ specs }) => specs === undefined);
  const tensors = taking.find(({ specs }) => specs !== undefined);
  if (document !== undefined && tensors !== undefined) {
    throw invalid(
      `gives "in" to ${tensors.step}, which takes tensors, and to ${document.step}, which does not declare its inputs`,
    );
  }
  if (document !== undefined) return undefined;

  const byName = new Map<string, TensorSpec>();
  for (const { step, specs = [] } of taking) {
    for (const spec of specs) {
      const known = byName.get(spec.name);
      if (known !== undefined && !isSame(known, spec)) {
        throw invalid(
          `gives "in" to several models, and ${step} takes another ${spec.name} than the one before: ${show(spec)}, not ${show(known)}`,
        );
      }
      byName.set(spec.name, spec);
    }
  }
  return [...byName.values()];
};

/** The steps with models that the request goes into, itself or through `id`. */
const stepsFedBy = (value: Expression, workflow: Workflow): readonly string[] => {
  if (value.kind === 'value') return [];
  const args = value.kind === 'each' ? [value.arg] : value.args;
  const steps = value.kind === 'each' ? value.steps : [value.step];
  const own = args.some((arg) => isRequest(arg, workflow))
    ? steps.filter((step) => workflow.parts.has(step))
    : [];
  return [...own, ...args.flatMap((arg) => stepsFedBy(arg, workflow))];
};

const isRequest = (value: Expression, workflow: Workflow): boolean => {
  if (value.kind === 'each') return false;
  if (value.kind === 'step') return value.step === 'id' && value.args.some((arg) => isRequest(arg, workflow));
  const definition = workflow.values.get(value.name);
  return definition === undefined ? value.name === 'in' : isRequest(definition, workflow);
};

/** What the answer holds, where that is known before it is computed. */
export const answerSpecs = (workflow: Workflow, outputsOf: (step: string) => Specs): Specs => {
  const specsOf = (value: Expression | undefined): Specs => {
    if (value === undefined || value.kind === 'each') return value && outputsOf(value.steps[0] ?? '');
    if (value.kind === 'value') return specsOf(workflow.values.get(value.name));
    return workflow.parts.has(value.step) ? outputsOf(value.step) : specsOf(value.args[0]);
  };
  return specsOf(workflow.values.get('out'));
};

const isSame = (one: TensorSpec, other: TensorSpec): boolean => show(one) === show(other);

const show = ({ type, shape }: TensorSpec): string =>
  `${type}[${shape.map((size) => size ?? 'any').join(', ')}]`;

const invalid = (problem: string): ServingError => new ServingError('ModelError', `workflow.json ${problem}`);
