import { ServingError } from '../../errors.ts';
import type { Tensor, TensorSpec } from '../engine.ts';

/**
 * The tensors of earlier steps as the inputs of the next: by name, or by position where no name is the same and there are
 * as many.
 * @param step how messages name the step
 * @throws ServingError ModelError naming the input that is missing or does not fit.
 */
export const fitTensors = (
  given: readonly Tensor[],
  inputs: readonly TensorSpec[],
  step: string,
): readonly Tensor[] => {
  const isNamed = inputs.some(({ name }) => given.some((tensor) => tensor.name === name));
  if (!isNamed && given.length !== inputs.length) {
    throw misfit(step, `takes ${namesOf(inputs)}, but was given ${namesOf(given) || 'nothing'}`);
  }
  return inputs.map((spec, index) => {
    const tensor = isNamed ? given.find(({ name }) => name === spec.name) : given[index];
    if (tensor === undefined)
      throw misfit(step, `lacks its input ${spec.name}: it was given ${namesOf(given)}`);
    checkFit(tensor, spec, step);
    return { name: spec.name, type: tensor.type, shape: tensor.shape, data: tensor.data };
  });
};

const checkFit = (tensor: Tensor, spec: TensorSpec, step: string): void => {
  if (tensor.type !== spec.type) {
    throw misfit(step, `takes ${spec.name} as ${spec.type}, but ${tensor.name} is ${tensor.type}`);
  }
  const fits =
    tensor.shape.length === spec.shape.length &&
    spec.shape.every((size, index) => size === undefined || size === tensor.shape[index]);
  if (fits) return;
  const declared = spec.shape.map((size) => size ?? 'any').join(', ');
  throw misfit(
    step,
    `takes ${spec.name} with the shape [${declared}], but ${tensor.name} has [${tensor.shape.join(', ')}]`,
  );
};

const namesOf = (named: readonly { readonly name: string }[]): string =>
  named.map(({ name }) => name).join(', ');

const misfit = (step: string, problem: string): ServingError =>
  new ServingError('ModelError', `workflow: step ${step} ${problem}`);
