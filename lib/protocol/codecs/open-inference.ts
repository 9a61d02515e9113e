import { isUtf8 } from 'node:buffer';
import type { Tensor, TensorData, TensorSpec, TensorType } from '../../engines/engine.ts';
import type { DecodedRequest, Encoded, OpenInferenceForm } from './codec.ts';
import { createElementWriter } from './elements.ts';
import { describeValue, invalidInput } from './invalid-input.ts';
import { readNested } from './nested.ts';
import { bytesOfNumbers, numbersFromBytes } from './raw-elements.ts';
import { checkShape, countElements } from './shapes.ts';
import { writeElements } from './write-json.ts';

/** The Open Inference Protocol's names of element types (open-inference-protocol, "Tensor Data Types"). */
export const DATATYPES: Readonly<Record<TensorType, string>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
};

type Named = Readonly<Record<string, unknown>>;

const isNamed = (value: unknown): value is Named =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a JSON body is a request of this protocol: a list of inputs that are objects with a datatype. */
export const isOpenInferenceRequest = (value: Named): boolean =>
  Array.isArray(value['inputs']) && isNamed(value['inputs'][0]) && 'datatype' in value['inputs'][0];

/**
 * Reads `{"id"?, "inputs": [{"name", "shape", "datatype", "data"}], "outputs"?: [{"name"}], "parameters"?}`. Data is flat
 * or nested. With the binary extension, inputs with `"parameters": {"binary_data_size": n}` take their data
 * from `bytes`, which follow the JSON, in their order (Triton, extension_binary_data).
 * @throws ServingError ValidationError naming the input, what came and what was expected.
 */
export const readOpenInference = (
  request: Named,
  inputs: readonly TensorSpec[],
  bytes: Uint8Array,
): DecodedRequest => {
  const given = request['inputs'];
  if (!Array.isArray(given)) throw invalidInput(`inputs should be an array, but is ${describeValue(given)}`);
  const cursor = { bytes, next: 0 };
  const tensors = new Map<string, Tensor>();
  for (const [index, input] of given.entries()) {
    const tensor = readInput(input, inputs, cursor, `inputs[${index}]`);
    if (tensors.has(tensor.name)) throw invalidInput(`inputs names ${describeValue(tensor.name)} twice`);
    tensors.set(tensor.name, tensor);
  }
  const missing = inputs.find(({ name }) => !tensors.has(name));
  if (missing !== undefined) {
    throw invalidInput(`inputs lacks ${missing.name}: the model has ${namesOf(inputs)}`);
  }
  if (cursor.next !== bytes.length) {
    throw invalidInput(
      `the body has ${bytes.length} bytes after its JSON, but the inputs' binary_data_size add up to ${cursor.next}`,
    );
  }
  return { tensors: inputs.flatMap(({ name }) => tensors.get(name) ?? []), form: readForm(request) };
};

interface Cursor {
  readonly bytes: Uint8Array;
  next: number;
}

const readInput = (input: unknown, inputs: readonly TensorSpec[], cursor: Cursor, where: string): Tensor => {
  if (!isNamed(input)) throw invalidInput(`${where} should be an object, but is ${describeValue(input)}`);
  const spec = inputs.find(({ name }) => name === input['name']);
  if (spec === undefined) {
    throw invalidInput(
      `${where} names ${describeValue(input['name'])}, which is no input of the model: it has ${namesOf(inputs)}`,
    );
  }
  if (input['datatype'] !== DATATYPES[spec.type]) {
    throw invalidInput(
      `${where}: datatype should be ${DATATYPES[spec.type]} (input ${spec.name} is ${spec.type}), but is ${describeValue(input['datatype'])}`,
    );
  }
  const shape = readShape(input['shape'], where);
  checkShape(shape, spec, where);
  return {
    name: spec.name,
    type: spec.type,
    shape,
    data: readData(input, { ...spec, shape }, cursor, where),
  };
};

const readShape = (shape: unknown, where: string): readonly number[] => {
  const isShape =
    Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0 && size < 2 ** 31);
  if (isShape && countElements(shape) <= Number.MAX_SAFE_INTEGER) return shape;
  throw invalidInput(
    `${where}: shape should be an array of sizes, for example [1, 10], but is ${describeValue(shape)}`,
  );
};

type Shaped = TensorSpec & { readonly shape: readonly number[] };

const readData = (input: Named, spec: Shaped, cursor: Cursor, where: string): TensorData => {
  const size = isNamed(input['parameters']) ? input['parameters']['binary_data_size'] : undefined;
  if (size !== undefined) return readBinary(size, spec, cursor, where);

  const data = input['data'];
  if (!Array.isArray(data)) {
    throw invalidInput(`${where}: data should be an array, but is ${describeValue(data)}`);
  }
  if (spec.shape.length > 1 && Array.isArray(data[0])) return readNested(data, spec, `${where}.data`).data;
  return readFlat(data, spec, `${where}.data`);
};

const readFlat = (data: readonly unknown[], spec: Shaped, where: string): TensorData => {
  const count = countElements(spec.shape);
  if (data.length !== count) {
    throw invalidInput(
      `${where} has ${data.length} values, but the shape [${spec.shape.join(', ')}] has ${count} (input ${spec.name})`,
    );
  }
  const writer = createElementWriter(spec.type, count);
  for (const [index, element] of data.entries()) {
    const expected = writer.write(element, index);
    if (expected !== undefined) {
      throw invalidInput(
        `${where}[${index}] should be ${expected} (input ${spec.name} is ${spec.type}), but is ${describeValue(element)}`,
      );
    }
  }
  return writer.data;
};

const readBinary = (size: unknown, spec: Shaped, cursor: Cursor, where: string): TensorData => {
  const left = cursor.bytes.length - cursor.next;
  if (!Number.isSafeInteger(size) || Number(size) < 0 || Number(size) > left) {
    throw invalidInput(
      `${where}: binary_data_size should be a number of bytes, at most the ${left} that are left in the body, but is ${describeValue(size)}`,
    );
  }
  const bytes = cursor.bytes.subarray(cursor.next, cursor.next + Number(size));
  cursor.next += Number(size);
  const count = countElements(spec.shape);
  return spec.type === 'string'
    ? stringsFromBytes(bytes, count, where)
    : numbersFromBytes(spec.type, bytes, count, `${where} (input ${spec.name})`);
};

/** Each string after its length in 4 bytes, little-endian. */
const stringsFromBytes = (bytes: Uint8Array, count: number, where: string): readonly string[] => {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const strings: string[] = [];
  let next = 0;
  while (next < view.length) {
    const length = next + 4 <= view.length ? view.readUInt32LE(next) : Number.POSITIVE_INFINITY;
    const end = next + 4 + length;
    if (end > view.length) throw invalidInput(`${where}: string ${strings.length} is cut off`);
    const content = view.subarray(next + 4, end);
    if (!isUtf8(content)) throw invalidInput(`${where}: string ${strings.length} is not UTF-8`);
    strings.push(content.toString());
    next = end;
  }
  if (strings.length === count) return strings;
  throw invalidInput(`${where} has ${strings.length} strings, but its shape has ${count}`);
};

const readForm = (request: Named): OpenInferenceForm => {
  const { id, outputs, parameters } = request;
  if (id !== undefined && typeof id !== 'string') {
    throw invalidInput(`id should be a string, but is ${describeValue(id)}`);
  }
  if (outputs !== undefined && !Array.isArray(outputs)) {
    throw invalidInput(`outputs should be an array, but is ${describeValue(outputs)}`);
  }
  const isBinary = isNamed(parameters) ? parameters['binary_data_output'] : undefined;
  return {
    ...(typeof isBinary === 'boolean' ? { isBinary } : {}),
    ...(id === undefined ? {} : { id }),
    ...(outputs === undefined ? {} : { outputs: readOutputs(outputs) }),
  };
};

/** Each once: an output that is named a thousand times would be written a thousand times. */
const readOutputs = (outputs: readonly unknown[]): NonNullable<OpenInferenceForm['outputs']> => {
  const read = outputs.map(readOutput);
  const names = new Set<string>();
  for (const { name } of read) {
    if (names.has(name)) throw invalidInput(`outputs names ${describeValue(name)} twice`);
    names.add(name);
  }
  return read;
};

const readOutput = (output: unknown, index: number): { name: string; isBinary?: boolean } => {
  if (!isNamed(output) || typeof output['name'] !== 'string') {
    throw invalidInput(`outputs[${index}] should be an object with a name, but is ${describeValue(output)}`);
  }
  const isBinary = isNamed(output['parameters']) ? output['parameters']['binary_data'] : undefined;
  return { name: output['name'], ...(typeof isBinary === 'boolean' ? { isBinary } : {}) };
};

export const BINARY_MEDIA_TYPE = 'application/vnd.sagemaker-triton.binary+json';

/**
 * `{"model_name", "id"?, "outputs": [{"name", "shape", "datatype", "data"}]}`; outputs wanted as bytes follow the JSON,
 * and the Content-Type then says how long that is, as SageMaker's Triton container does.
 * @throws ServingError ValidationError for an output that the model has not.
 */
export const encodeOpenInference = (
  outputs: readonly Tensor[],
  form: OpenInferenceForm,
  model: string,
): Encoded => {
  const chosen = chooseOutputs(outputs, form);
  const parts = chosen.map(({ tensor, isBinary }) => (isBinary ? bytesOf(tensor) : undefined));
  const written = chosen.map(({ tensor }, index) => writeOutput(tensor, parts[index]));
  const id = form.id === undefined ? '' : `"id":${JSON.stringify(form.id)},`;
  const json = `{"model_name":${JSON.stringify(model)},${id}"outputs":[${written.join(',')}]}`;
  const bytes = parts.filter((part) => part !== undefined);
  if (bytes.length === 0) return { contentType: 'application/json', body: json };
  const header = Buffer.from(json);
  return {
    contentType: `${BINARY_MEDIA_TYPE};json-header-size=${header.length}`,
    body: Buffer.concat([header, ...bytes]),
  };
};

const chooseOutputs = (outputs: readonly Tensor[], form: OpenInferenceForm) => {
  const wanted: NonNullable<OpenInferenceForm['outputs']> = form.outputs ?? outputs;
  return wanted.map(({ name, isBinary }) => {
    const tensor = outputs.find((output) => output.name === name);
    if (tensor !== undefined) return { tensor, isBinary: isBinary ?? form.isBinary ?? false };
    throw invalidInput(`outputs names ${describeValue(name)}, but the model gives ${namesOf(outputs)}`);
  });
};

const writeOutput = (tensor: Tensor, bytes: Uint8Array | undefined): string => {
  const { name, type, shape, labels } = tensor;
  // Parameters are strings, numbers or booleans in this protocol, so the labels are JSON in a string.
  const parameters = [
    ...(bytes === undefined ? [] : [`"binary_data_size":${bytes.length}`]),
    ...(labels === undefined ? [] : [`"labels":${JSON.stringify(JSON.stringify(labels))}`]),
  ];
  const fields = [
    `"name":${JSON.stringify(name)}`,
    `"shape":[${shape.join(',')}]`,
    `"datatype":"${DATATYPES[type]}"`,
    ...(parameters.length === 0 ? [] : [`"parameters":{${parameters.join(',')}}`]),
    ...(bytes === undefined ? [`"data":[${writeElements(tensor)}]`] : []),
  ];
  return `{${fields.join(',')}}`;
};

const bytesOf = ({ data }: Tensor): Uint8Array => {
  if (!Array.isArray(data)) return bytesOfNumbers(data as Exclude<TensorData, readonly string[]>);
  return Buffer.concat(
    (data as readonly string[]).flatMap((text) => {
      const content = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(content.length);
      return [length, content];
    }),
  );
};

const namesOf = (named: readonly { readonly name: string }[]): string =>
  named.map(({ name }) => name).join(', ');
