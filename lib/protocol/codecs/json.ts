import type { Tensor, TensorSpec } from '../../engines/engine.ts';
import {
  type Codec,
  type DecodedRequest,
  type Form,
  isOpenInference,
  type OpenInferenceForm,
} from './codec.ts';
import { describeValue, invalidInput } from './invalid-input.ts';
import { readNested } from './nested.ts';
import { encodeOpenInference, isOpenInferenceRequest, readOpenInference } from './open-inference.ts';
import { writeNamed, writeNested, writeRows } from './write-json.ts';

type Named = Readonly<Record<string, unknown>>;

const EXAMPLE = 'for example {"instances": [[0.1, 0.2], [0.3, 0.4]]}';

/**
 * `application/json`. Requests: `{"instances": [row, ...]}` (a row is an object by input name where the model has
 * several inputs), `{"inputs": value}` or `{"inputs": {name: value}}`, a bare array, or a bare object by input
 * name; or the tensors of the Open Inference Protocol. The answer mirrors the request (see `Form`); several outputs make an object by output name, per row for
 * `instances`. NaN and infinities travel as the strings "NaN", "Infinity", "-Infinity", and 64-bit integers in
 * requests may be strings; in answers they are numbers with all their digits.
 */
export const jsonCodec: Codec = {
  mediaType: 'application/json',

  decode(body, inputs) {
    const value = parseJson(body.text());
    if (Array.isArray(value)) return { tensors: [readNested(value, only(inputs), 'the body')], form: 'bare' };
    if (!isNamed(value))
      throw invalidInput(
        `the body should be an array or an object (${EXAMPLE}), but is ${describeValue(value)}`,
      );
    if (isOpenInferenceRequest(value)) return readOpenInference(value, inputs, NO_BYTES);
    if ('instances' in value) return readInstances(value, inputs);
    if ('inputs' in value) return readInputs(value, inputs);
    return { tensors: readNamed(value, inputs, ''), form: 'bare' };
  },

  encode(outputs, form, model) {
    if (isOpenInference(form)) return encodeOpenInference(outputs, withoutBytes(form), model);
    const [first] = outputs;
    const isSingle = outputs.length === 1 && first !== undefined;
    const value = isSingle
      ? writeNested(first)
      : form === 'instances'
        ? writeRows(outputs)
        : writeNamed(outputs);
    return { contentType: this.mediaType, body: WRAPPED[form](value) };
  },
};

const NO_BYTES = new Uint8Array();

/** Somebody who asks for JSON cannot take bytes behind it. */
const withoutBytes = (form: OpenInferenceForm): OpenInferenceForm => ({
  ...form,
  ...(form.outputs && { outputs: form.outputs.map(({ name }) => ({ name, isBinary: false })) }),
  isBinary: false,
});

const WRAPPED: Readonly<Record<Exclude<Form, OpenInferenceForm>, (value: string) => string>> = {
  bare: (value) => value,
  instances: (value) => `{"predictions":${value}}`,
  inputs: (value) => `{"outputs":${value}}`,
};

/** @throws ServingError ValidationError */
export const parseJson = (body: string): unknown => {
  if (body.trim() === '') throw invalidInput(`the body is empty: expected JSON, ${EXAMPLE}`);
  try {
    return JSON.parse(body);
  } catch (cause) {
    // V8 quotes the body, line ends and control characters included.
    const reason = (cause as Error).message.replaceAll(/[\s\p{Cc}]+/gu, ' ').slice(0, 200);
    const hint = /\b(NaN|Infinity)\b/.test(body)
      ? '; JSON has no NaN and no Infinity: send them as strings, "NaN"'
      : '';
    throw invalidInput(`the body is not JSON: ${reason}${hint}`);
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
