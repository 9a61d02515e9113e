import type { Tensor, TensorSpec } from '../../engines/engine.ts';
import { createElementWriter, type ElementWriter } from './elements.ts';
import { describeShape, describeValue, invalidInput } from './invalid-input.ts';

/**
 * Reads nested arrays as a tensor of the declared type and shape. Nothing is guessed, padded or cut.
 * @param where how messages name the value, e.g. `instances`; indices are added to it
 * @throws ServingError ValidationError naming the place, what came and what was expected.
 */
export const readNested = (value: unknown, spec: TensorSpec, where: string): Tensor => {
  const shape = measure(value, spec, where);
  const length = shape.reduce((product, dimension) => product * dimension, 1);
  const writer = createElementWriter(spec.type, length);
  const indices: number[] = [];
  let next = 0;

  const place = (): string => where + indices.map((index) => `[${index}]`).join('');

  const readElement = (element: unknown): void => {
    const expected = writer.write(element, next++);
    if (expected !== undefined) {
      throw invalidInput(
        `${place()} should be ${expected} (input ${spec.name} is ${spec.type}), but is ${describeValue(element)}`,
      );
    }
  };

  const read = (part: unknown, depth: number): void => {
    const expectedLength = shape[depth];
    if (expectedLength === undefined) {
      readElement(part);
      return;
    }
    if (!Array.isArray(part)) {
      throw invalidInput(`${place()} should be an array of ${expectedLength}, but is ${describeValue(part)}`);
    }
    if (part.length !== expectedLength) {
      throw invalidInput(
        `${place()} has ${part.length} values, but ${where}${'[0]'.repeat(depth)} has ${expectedLength}: all must have as many`,
      );
    }
    const readPart = depth === shape.length - 1 ? readElement : read;
    for (let index = 0; index < expectedLength; index++) {
      indices[depth] = index;
      readPart(part[index], depth + 1);
    }
    indices.length = depth;
  };

  if (!readPlainTable(value, shape, writer)) read(value, 0);
  return { name: spec.name, type: spec.type, shape, data: writer.data };
};

/**
 * The hot path of large batches: rows of numbers that need no second look, in two loops without indices or messages.
 * @returns false at the first thing that is not so; all is read again then
 */
const readPlainTable = (value: unknown, shape: readonly number[], { writeRun }: ElementWriter): boolean => {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined || writeRun === undefined)
    return false;
  const parts = value as readonly unknown[];
  if (parts.length !== rows) return false;
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
