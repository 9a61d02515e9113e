import type { Tensor } from '../../engines/engine.ts';
import { nonFiniteName } from './elements.ts';

/** Outputs as an object by name. */
export const writeNamed = (outputs: readonly Tensor[]): string =>
  `{${outputs.map((tensor) => `${JSON.stringify(tensor.name)}:${writeNested(tensor)}`).join(',')}}`;

/** One object per row, where every output has as many rows; else the outputs by name, as there are no common rows. */
export const writeRows = (outputs: readonly Tensor[]): string => {
  const rows = outputs[0]?.shape[0];
  if (rows === undefined || outputs.some(({ shape }) => shape[0] !== rows)) return writeNamed(outputs);
  const columns = outputs.map((tensor) => ({ key: JSON.stringify(tensor.name), rows: writeParts(tensor) }));
  const written = Array.from(
    { length: rows },
    (_, row) => `{${columns.map((column) => `${column.key}:${column.rows[row] ?? 'null'}`).join(',')}}`,
  );
  return `[${written.join(',')}]`;
};

/** A tensor as nested arrays; where the columns have labels, each innermost array is an object by label. */
export const writeNested = (tensor: Tensor): string =>
  tensor.shape.length === 0 ? writeElement(tensor, 0) : `[${writeParts(tensor).join(',')}]`;

/** The parts of a tensor along its first dimension, each as JSON. */
const writeParts = (tensor: Tensor): readonly string[] => {
  const [count = 0, ...inner] = tensor.shape;
  const writeRun = chooseRunWriter(tensor);
  const writeRow = chooseRowWriter(tensor, inner.at(-1), writeRun);
  let next = 0;
  const write = (depth: number): string => {
    const length = inner[depth];
    if (length === undefined) return writeElement(tensor, next++);
    if (depth === inner.length - 1) {
      next += length;
      return writeRow(next - length, next);
    }
    return `[${Array.from({ length }, () => write(depth + 1)).join(',')}]`;
  };
  return Array.from({ length: count }, () => write(0));
};

type RunWriter = (from: number, to: number) => string;

const chooseRowWriter = (tensor: Tensor, columns: number | undefined, writeRun: RunWriter): RunWriter => {
  const keys = tensor.labels?.map((label) => JSON.stringify(label));
  if (keys === undefined || keys.length !== columns) return (from, to) => `[${writeRun(from, to)}]`;
  return (from) =>
    `{${keys.map((key, column) => `${key}:${writeElement(tensor, from + column)}`).join(',')}}`;
};

/** All elements in their order, without brackets. */
export const writeElements = (tensor: Tensor): string => chooseRunWriter(tensor)(0, tensor.data.length);

/** The hot path: the engine's own `join` writes finite numbers several times as fast as one by one. */
const chooseRunWriter = (tensor: Tensor): RunWriter => {
  const { data, type } = tensor;
  const isPlain = type !== 'bool' && type !== 'string' && !(data as Float32Array).some(isNonFinite);
  if (isPlain) return (from, to) => (data as Float32Array).subarray(from, to).join(',');
  return (from, to) =>
    Array.from({ length: to - from }, (_, index) => writeElement(tensor, from + index)).join(',');
};

/** False for the bigints of 64-bit integers too. */
const isNonFinite = (element: number | bigint): boolean =>
  typeof element === 'number' && !Number.isFinite(element);

const writeElement = ({ data, type }: Tensor, index: number): string => {
  const element = data[index];
  if (type === 'bool') return element === 0 ? 'false' : 'true';
  if (typeof element === 'string') return JSON.stringify(element);
  if (typeof element === 'number' && !Number.isFinite(element)) return `"${nonFiniteName(element)}"`;
  return String(element);
};
