import type { TensorSpec, TensorType } from '../engine.ts';
import { isTensorType, TENSOR_TYPES } from './tensors.ts';

/**
 * Reads what model.mjs exports as `inputs` or `outputs`; a dimension that varies is null or undefined there.
 * @throws Error that names what is wrong.
 */
export const parseSpecs = (
  value: unknown,
  exported: 'inputs' | 'outputs',
): readonly TensorSpec[] | undefined => {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw new Error(`${exported} should be an array of {name, type, shape}`);
  const specs = Array.from(value, (item, index) => parseSpec(item, `${exported}[${index}]`));
  const twice = specs.find(({ name }, index) => specs.findIndex((spec) => spec.name === name) !== index);
  if (twice !== undefined) throw new Error(`${exported} names ${twice.name} twice`);
  return specs;
};

const parseSpec = (value: unknown, where: string): TensorSpec => {
  if (typeof value !== 'object' || value === null) throw new Error(`${where} should be {name, type, shape}`);
  const { name, type, shape, labels } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || name === '') throw new Error(`${where}.name should be a string`);
  const spec = { name, type: parseType(type, where), shape: parseDimensions(shape, where) };
  return labels === undefined ? spec : { ...spec, labels: parseLabels(labels, spec.shape.at(-1), where) };
};

const parseType = (type: unknown, where: string): TensorType => {
  if (isTensorType(type)) return type;
  throw new Error(`${where}.type should be one of ${TENSOR_TYPES.join(', ')}`);
};

const parseDimensions = (shape: unknown, where: string): readonly (number | undefined)[] => {
  if (!Array.isArray(shape)) throw new Error(`${where}.shape should be an array, [] for a single value`);
  return Array.from(shape, (size: unknown, index) => {
    if (size === null || size === undefined) return undefined;
    if (Number.isSafeInteger(size) && Number(size) >= 0) return Number(size);
    throw new Error(`${where}.shape[${index}] should be a whole number from 0 on, or null where it varies`);
  });
};

const parseLabels = (labels: unknown, columns: number | undefined, where: string): readonly string[] => {
  const isList = Array.isArray(labels) && labels.every((label) => typeof label === 'string');
  if (!isList) throw new Error(`${where}.labels should be an array of strings`);
  if (columns === undefined || columns === labels.length) return [...labels];
  throw new Error(`${where}.labels has ${labels.length} labels for ${columns} columns`);
};
