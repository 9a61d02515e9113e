import { ServingError } from '../../errors.ts';
import { type Tensor, tensorsOf, type Value } from '../engine.ts';

type Floats = Float16Array | Float32Array | Float64Array;

/**
 * The answers of several models as one: the mean of numbers with a fraction, the most frequent of all others (labels, and
 * the earliest of those that are equally frequent).
 * @throws ServingError ModelError where they have not the same outputs.
 */
export const ensemble = (values: readonly Value[]): readonly Tensor[] => {
  const [first = [], ...others] = values.map(tensorsOf);
  return first.map((tensor, index) => {
    const peers = others.map((outputs) => {
      const peer = outputs[index];
      if (outputs.length === first.length && peer !== undefined && isAlike(peer, tensor)) return peer;
      throw new ServingError(
        'ModelError',
        `workflow: ensemble takes outputs of the same types and shapes, but was given ${describe(first)} and ${describe(outputs)}`,
      );
    });
    return combine([tensor, ...peers], tensor);
  });
};

const isAlike = (one: Tensor, other: Tensor): boolean =>
  one.type === other.type &&
  one.shape.length === other.shape.length &&
  one.shape.every((size, index) => size === other.shape[index]);

const combine = (tensors: readonly Tensor[], model: Tensor): Tensor => {
  if (model.type.startsWith('float')) {
    const data = (model.data as Floats).slice();
    for (let at = 0; at < data.length; at++) {
      data[at] = tensors.reduce((sum, tensor) => sum + Number(tensor.data[at]), 0) / tensors.length;
    }
    return { ...model, data };
  }
  const votes = Array.from(model.data as ArrayLike<unknown>, (_, at) =>
    mostFrequent(tensors.map(({ data }) => data[at])),
  );
  if (model.type === 'string') return { ...model, data: votes as string[] };
  const data = (model.data as Int32Array).slice();
  for (const [at, vote] of votes.entries()) data[at] = vote as number;
  return { ...model, data };
};

const mostFrequent = (votes: readonly unknown[]): unknown => {
  const counts = new Map<unknown, number>();
  for (const vote of votes) counts.set(vote, (counts.get(vote) ?? 0) + 1);
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
};

const describe = (tensors: readonly Tensor[]): string =>
  tensors.map(({ name, type, shape }) => `${name} ${type}[${shape.join(', ')}]`).join(', ') || 'nothing';
