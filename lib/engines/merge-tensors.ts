import type { Tensor, TensorData } from './engine.ts';

/**
 * Requests as one: their tensors one after the other along the first dimension. Pure.
 * @returns `undefined` when they do not fit together: other names, types or inner dimensions, or no rows to count
 */
export const mergeTensors = (requests: readonly (readonly Tensor[])[]): readonly Tensor[] | undefined => {
  const [first = []] = requests;
  const merged = first.map((tensor): Tensor | undefined => {
    const parts = requests.map((request) => request.find(({ name }) => name === tensor.name));
    const fitting = parts.filter((part): part is Tensor => part !== undefined && fits(part, tensor));
    if (fitting.length < requests.length) return undefined;
    const rows = fitting.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    return { ...tensor, shape: [rows, ...tensor.shape.slice(1)], data: concatenate(fitting) };
  });
  const isWhole =
    merged.every((tensor) => tensor !== undefined) &&
    requests.every((request) => request.length === first.length && rowsOf(request) !== undefined);
  return isWhole ? (merged as readonly Tensor[]) : undefined;
};

/** How many rows a request has: the first dimension, which all of its tensors must share. */
export const rowsOf = (tensors: readonly Tensor[]): number | undefined => {
  const [rows] = tensors[0]?.shape ?? [];
  return rows !== undefined && rows > 0 && tensors.every(({ shape }) => shape[0] === rows) ? rows : undefined;
};

/**
 * The answer of merged requests, cut into theirs. Pure.
 * @param rows of each request, in their order
 * @returns `undefined` when the model does not answer row by row
 */
export const splitTensors = (
  outputs: readonly Tensor[],
  rows: readonly number[],
): readonly (readonly Tensor[])[] | undefined => {
  const all = rows.reduce((sum, count) => sum + count, 0);
  if (outputs.some(({ shape }) => shape[0] !== all)) return undefined;
  let start = 0;
  return rows.map((count) => {
    const from = start;
    start += count;
    return outputs.map((tensor) => cut(tensor, from, count));
  });
};

const fits = (part: Tensor, first: Tensor): boolean =>
  part.type === first.type &&
  part.shape.length === first.shape.length &&
  part.shape.length > 0 &&
  part.shape.every((size, index) => index === 0 || size === first.shape[index]);

const cut = (tensor: Tensor, start: number, rows: number): Tensor => {
  const rowSize = tensor.shape.slice(1).reduce((product, size) => product * size, 1);
  return {
    ...tensor,
    shape: [rows, ...tensor.shape.slice(1)],
    data: tensor.data.slice(start * rowSize, (start + rows) * rowSize) as TensorData,
  };
};

const concatenate = (tensors: readonly Tensor[]): TensorData => {
  const [first] = tensors;
  if (first === undefined || isText(first.data))
    return tensors.flatMap(({ data }) => data as readonly string[]);
  const size = tensors.reduce((sum, { data }) => sum + data.length, 0);
  // All are of one type: `fits` has seen to it.
  const whole = new (first.data.constructor as new (size: number) => Float32Array)(size);
  let at = 0;
  for (const { data } of tensors) {
    whole.set(data as Float32Array, at);
    at += data.length;
  }
  return whole;
};

const isText = (data: TensorData): data is readonly string[] => Array.isArray(data);
