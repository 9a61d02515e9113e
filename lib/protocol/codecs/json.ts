import type { Tensor, TensorSpec } from '../../engines/engine.ts';
import type { Codec, DecodedRequest, Form } from './codec.ts';
import { nonFiniteName } from './elements.ts';
import { describeValue, invalidInput } from './invalid-input.ts';
import { readNested } from './nested.ts';

type Named = Readonly<Record<string, unknown>>;

const EXAMPLE = 'for example {"instances": [[0.1, 0.2], [0.3, 0.4]]}';

/**
 * `application/json`. Requests: `{"instances": [row, ...]}` (a row is an object by input name where the model has
 * several inputs), `{"inputs": value}` or `{"inputs": {name: value}}`, a bare array, or a bare object by input
 * name. The answer mirrors the request (see `Form`); several outputs make an object by output name, per row for
 * `instances`. NaN and infinities travel as the strings "NaN", "Infinity", "-Infinity", and 64-bit integers in
 * requests may be strings; in answers they are numbers with all their digits.
 */
export const jsonCodec: Codec = {
  mediaType: 'application/json',

  decode(body, inputs) {
    const value = parse(body);
    if (Array.isArray(value)) return { tensors: [readNested(value, only(inputs), 'the body')], form: 'bare' };
    if (!isNamed(value))
      throw invalidInput(
        `the body should be an array or an object (${EXAMPLE}), but is ${describeValue(value)}`,
      );
    if ('instances' in value) return readInstances(value, inputs);
    if ('inputs' in value) return readInputs(value, inputs);
    return { tensors: readNamed(value, inputs, ''), form: 'bare' };
  },

  encode(outputs, form) {
    const [first] = outputs;
    const isSingle = outputs.length === 1 && first !== undefined;
    const value = isSingle
      ? writeNested(first)
      : form === 'instances'
        ? writeRows(outputs)
        : writeNamed(outputs);
    return WRAPPED[form](value);
  },
};

const WRAPPED: Readonly<Record<Form, (value: string) => string>> = {
  bare: (value) => value,
  instances: (value) => `{"predictions":${value}}`,
  inputs: (value) => `{"outputs":${value}}`,
};

const parse = (body: string): unknown => {
  if (body.trim() === '') throw invalidInput(`the body is empty: expected JSON, ${EXAMPLE}`);
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw invalidInput(`the body is not JSON: ${(cause as Error).message.slice(0, 200)}`);
  }
};

const readInstances = (value: Named, inputs: readonly TensorSpec[]): DecodedRequest => {
  refuseOthers(value, 'instances');
  const rows = value['instances'];
  if (!Array.isArray(rows))
    throw invalidInput(`instances should be an array of rows, but is ${describeValue(rows)}`);
  if (rows.length === 0) throw invalidInput('instances is empty: send at least one row');
  if (!isNamed(rows[0])) return { tensors: [readNested(rows, only(inputs), 'instances')], form: 'instances' };

  for (const [index, row] of rows.entries()) {
    if (!isNamed(row))
      throw invalidInput(
        `instances[${index}] should be an object like instances[0], but is ${describeValue(row)}`,
      );
    checkNames(row, inputs, `instances[${index}]`);
  }
  const tensors = inputs.map((spec) =>
    readNested(
      rows.map((row: Named) => row[spec.name]),
      spec,
      `instances of ${spec.name}`,
    ),
  );
  return { tensors, form: 'instances' };
};

const readInputs = (value: Named, inputs: readonly TensorSpec[]): DecodedRequest => {
  refuseOthers(value, 'inputs');
  const given = value['inputs'];
  const tensors = isNamed(given)
    ? readNamed(given, inputs, 'inputs.')
    : [readNested(given, only(inputs), 'inputs')];
  return { tensors, form: 'inputs' };
};

const readNamed = (value: Named, inputs: readonly TensorSpec[], prefix: string): readonly Tensor[] => {
  checkNames(value, inputs, prefix === '' ? 'the body' : 'inputs');
  return inputs.map((spec) => readNested(value[spec.name], spec, prefix + spec.name));
};

const checkNames = (value: Named, inputs: readonly TensorSpec[], where: string): void => {
  const names = inputs.map(({ name }) => name);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalidInput(
      `${where} names ${describeValue(unknown)}, which is no input of the model: it has ${names.join(', ')}`,
    );
  }
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined)
    throw invalidInput(`${where} lacks the input ${missing}: the model has ${names.join(', ')}`);
};

const refuseOthers = (value: Named, key: string): void => {
  const other = Object.keys(value).find((name) => name !== key);
  if (other !== undefined) {
    throw invalidInput(`beside ${key} the body has ${describeValue(other)}: send ${key} alone, ${EXAMPLE}`);
  }
};

const only = (inputs: readonly TensorSpec[]): TensorSpec => {
  const [spec] = inputs;
  if (inputs.length === 1 && spec !== undefined) return spec;
  throw invalidInput(
    `the model has ${inputs.length} inputs, so name them: {"inputs": {${inputs.map(({ name }) => `"${name}": ...`).join(', ')}}}`,
  );
};

const isNamed = (value: unknown): value is Named =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const writeNamed = (outputs: readonly Tensor[]): string =>
  `{${outputs.map((tensor) => `${JSON.stringify(tensor.name)}:${writeNested(tensor)}`).join(',')}}`;

/** One object per row, where every output has as many rows; else the outputs by name, as there are no common rows. */
const writeRows = (outputs: readonly Tensor[]): string => {
  const rows = outputs[0]?.shape[0];
  if (rows === undefined || outputs.some(({ shape }) => shape[0] !== rows)) return writeNamed(outputs);
  const columns = outputs.map((tensor) => ({ key: JSON.stringify(tensor.name), rows: writeParts(tensor) }));
  const written = Array.from(
    { length: rows },
    (_, row) => `{${columns.map((column) => `${column.key}:${column.rows[row] ?? 'null'}`).join(',')}}`,
  );
  return `[${written.join(',')}]`;
};

const writeNested = (tensor: Tensor): string =>
  tensor.shape.length === 0 ? writeElement(tensor, 0) : `[${writeParts(tensor).join(',')}]`;

/** The parts of a tensor along its first dimension, each as JSON. */
const writeParts = (tensor: Tensor): readonly string[] => {
  const [count = 0, ...inner] = tensor.shape;
  const writeRun = chooseRunWriter(tensor);
  let next = 0;
  const write = (depth: number): string => {
    const length = inner[depth];
    if (length === undefined) return writeElement(tensor, next++);
    if (depth === inner.length - 1) {
      next += length;
      return `[${writeRun(next - length, next)}]`;
    }
    return `[${Array.from({ length }, () => write(depth + 1)).join(',')}]`;
  };
  return Array.from({ length: count }, () => write(0));
};

/** The hot path: the engine's own `join` writes finite numbers several times as fast as one by one. */
const chooseRunWriter = (tensor: Tensor): ((from: number, to: number) => string) => {
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
