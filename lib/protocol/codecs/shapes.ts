import type { TensorSpec } from '../../engines/engine.ts';
import { describeShape, invalidInput } from './invalid-input.ts';

/** How many elements a tensor of this shape has. */
export const countElements = (shape: readonly number[]): number =>
  shape.reduce((product, dimension) => product * dimension, 1);

/**
 * Holds a shape that came with the data against what the model declares.
 * @throws ServingError ValidationError naming the dimension, what came and what was expected.
 */
export const checkShape = (shape: readonly number[], spec: TensorSpec, where: string): void => {
  const declared = `(input ${spec.name} has the shape ${describeShape(spec.shape)})`;
  if (shape.length !== spec.shape.length) {
    throw invalidInput(
      `${where} has the shape ${describeShape(shape)}, but should have ${spec.shape.length} dimensions ${declared}`,
    );
  }
  for (const [index, expected] of spec.shape.entries()) {
    const came = shape[index] ?? 0;
    if (expected !== undefined && came !== expected) {
      throw invalidInput(
        `${where} has the shape ${describeShape(shape)}, but dimension ${index} should be ${expected} ${declared}`,
      );
    }
    if (came === 0) {
      throw invalidInput(
        `${where} has the shape ${describeShape(shape)}, which is empty: send at least one value`,
      );
    }
  }
};
