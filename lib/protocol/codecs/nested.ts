import type { Tensor, TensorSpec } from '../../engines/engine.ts';
import { createElementWriter, type ElementWriter } from './elements.ts';
import { describeShape, describeValue, invalidInput } from './invalid-input.ts';
import { countElements } from './shapes.ts';

/**
 * Reads nested arrays as a tensor of the declared type and shape. Nothing is guessed, padded or cut.
 * @param where how messages name the value, e.g. `instances`; indices are added to it
 * @throws ServingError ValidationError naming the place, what came and what was expected.
 */
export const readNested = (value: unknown, spec: TensorSpec, where: string): Tensor => {
  const shape = measure(value, spec, where);
  const mayBeSetAside = countElements(shape) <= MAX_UNCHECKED;
  if (!mayBeSetAside) checkLengths(value, shape, where);
  const writer = createElementWriter(spec.type, countElements(shape));
  const indices: number[] = [];
  let next = 0;

  const readElement = (element: unknown): void => {
    const expected = writer.write(element, next++);
    if (expected !== undefined) {
      throw invalidInput(
        `${placeOf(where, indices)} should be ${expected} (input ${spec.name} is ${spec.type}), but is ${describeValue(element)}`,
      );
    }
  };

  const read = (part: unknown, depth: number): void => {
    if (depth === shape.length) {
      readElement(part);
      return;
    }
    for (const [index, inner] of (part as readonly unknown[]).entries()) {
      indices[depth] = index;
      read(inner, depth + 1);
    }
    indices.length = depth;
  };

  if (!readPlainTable(value, shape, writer)) {
    if (mayBeSetAside) checkLengths(value, shape, where);
    read(value, 0);
  }
  return { name: spec.name, type: spec.type, shape, data: writer.data };
};

/** Elements that are set aside before it is seen that they are all there: at most 8 MB. */
const MAX_UNCHECKED = 1_048_576;

/** The first row alone may promise far more elements than there are. */
const checkLengths = (value: unknown, shape: readonly number[], where: string): void => {
  const indices: number[] = [];
  const check = (part: unknown, depth: number): void => {
    const expected = shape[depth];
    if (expected === undefined) return;
    if (!Array.isArray(part)) {
      throw invalidInput(
        `${placeOf(where, indices)} should be an array of ${expected}, but is ${describeValue(part)}`,
      );
    }
    if (part.length !== expected) {
      throw invalidInput(
        `${placeOf(where, indices)} has ${part.length} values, but ${where}${'[0]'.repeat(depth)} has ${expected}: all must have as many`,
      );
    }
    if (depth === shape.length - 1) return;
    for (let index = 0; index < expected; index++) {
      indices[depth] = index;
      check(part[index], depth + 1);
    }
    indices.length = depth;
  };
  check(value, 0);
};

const placeOf = (where: string, indices: readonly number[]): string =>
  where + indices.map((index) => `[${index}]`).join('');

/**
 * The hot path of large batches: rows of numbers that need no second look, in two loops without indices or messages.
 * @returns false at the first thing that is not so; all is read again then
 */
const readPlainTable = (value: unknown, shape: readonly number[], { writeRun }: ElementWriter): boolean => {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined || writeRun === undefined)
    return false;
  const parts = value as readonly unknown[];
  for (let row = 0; row < rows; row++) {
    const part = parts[row];
    if (!Array.isArray(part) || part.length !== columns) return false;
    if (writeRun(part, row * columns) !== columns) return false;
  }
  return true;
};

/** The shape by the first elements, held against what the model declares. */
const measure = (value: unknown, spec: TensorSpec, where: string): readonly number[] => {
  const shape: number[] = [];
  for (let part = value; Array.isArray(part); part = part[0]) shape.push(part.length);

  const declared = describeShape(spec.shape);
  if (shape.length !== spec.shape.length) {
    const came = shape.length === 0 ? describeValue(value) : `nested ${shape.length} deep`;
    throw invalidInput(
      `${where} should be arrays nested ${spec.shape.length} deep (input ${spec.name} has the shape ${declared}), but is ${came}`,
    );
  }
  for (const [depth, expected] of spec.shape.entries()) {
    const came = shape[depth] ?? 0;
    const place = where + '[0]'.repeat(depth);
    if (expected !== undefined && came !== expected) {
      throw invalidInput(
        `${place} has ${came} values, but should have ${expected} (input ${spec.name} has the shape ${declared})`,
      );
    }
    if (came === 0) throw invalidInput(`${place} is empty: send at least one value`);
  }
  return shape;
};
