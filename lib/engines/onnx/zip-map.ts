import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Field numbers of onnx.proto3 (onnx/onnx, IR version 8 and later only add to them). */
const MODEL = { graph: 7, opsetImport: 8 } as const;
const GRAPH = { node: 1, output: 12 } as const;
const NODE = { input: 1, output: 2, opType: 4, attribute: 5 } as const;
const ATTRIBUTE = { name: 1, ints: 8, strings: 9 } as const;
const VALUE = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR = { elementType: 1, shape: 2 } as const;
const SHAPE = { dimension: 1 } as const;
const DIMENSION = { value: 1 } as const;
const OPSET = { domain: 1, version: 2 } as const;
const FLOAT = 1;
const IDENTITY_SINCE = 16;

interface ZipMap {
  readonly input: string;
  readonly output: string;
  readonly labels: readonly string[];
}

export interface WithoutZipMaps {
  readonly bytes: Uint8Array;
  /** The class labels of each output that was a list of maps, by the output's name. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/**
 * scikit-learn's classifiers end, as skl2onnx exports them, in ZipMap: a list of maps from class to probability, which
 * onnxruntime-node cannot hand over (microsoft/onnxruntime#8007). This puts Identity in its place, so that the output
 * of that name is the matrix of probabilities, and keeps the labels. All else stays byte for byte: weights are not looked at.
 * @returns `undefined` where there is no ZipMap.
 * @throws Error for bytes that are no protobuf.
 */
export const withoutZipMaps = (model: Uint8Array): WithoutZipMaps | undefined => {
  const zipMaps = [...fields(model)]
    .filter(({ number }) => number === MODEL.graph)
    .flatMap(({ content }) => [...fields(content)])
    .filter(({ number }) => number === GRAPH.node)
    .flatMap(({ content }) => readZipMap(content) ?? []);
  if (zipMaps.length === 0) return undefined;

  const byOutput = new Map(zipMaps.map((zipMap) => [zipMap.output, zipMap]));
  const bytes = rewrite(model, ({ number, content }) =>
    number === MODEL.graph ? editGraph(content, byOutput) : undefined,
  );
  return {
    bytes: hasDefaultOpset(model) ? bytes : Buffer.concat([bytes, defaultOpset()]),
    labels: new Map(zipMaps.map(({ output, labels }) => [output, labels])),
  };
};

const editGraph = (graph: Uint8Array, zipMaps: ReadonlyMap<string, ZipMap>): Uint8Array =>
  rewrite(graph, ({ number, content }) => {
    if (number === GRAPH.node) {
      const zipMap = readZipMap(content);
      return zipMap && encodeIdentity(zipMap);
    }
    if (number !== GRAPH.output) return undefined;
    const zipMap = zipMaps.get(readText(content, VALUE.name));
    return zipMap && encodeMatrix(zipMap);
  });

const readZipMap = (node: Uint8Array): ZipMap | undefined => {
  if (readText(node, NODE.opType) !== 'ZipMap') return undefined;
  const labels = [...fields(node)]
    .filter(({ number }) => number === NODE.attribute)
    .flatMap(({ content }) => readLabels(content));
  return { input: readText(node, NODE.input), output: readText(node, NODE.output), labels };
};

/** `classlabels_strings` or `classlabels_int64s`: one of the two is there. */
const readLabels = (attribute: Uint8Array): readonly string[] => {
  if (!readText(attribute, ATTRIBUTE.name).startsWith('classlabels_')) return [];
  return [...fields(attribute)].flatMap(({ number, wireType, content, value }) => {
    if (number === ATTRIBUTE.strings) return [decodeText(content)];
    if (number !== ATTRIBUTE.ints) return [];
    return wireType === WireType.Varint ? [String(value)] : readPacked(content);
  });
};

const readPacked = (content: Uint8Array): readonly string[] => {
  const reader = new BinaryReader(content);
  const labels: string[] = [];
  while (reader.pos < reader.len) labels.push(String(reader.int64()));
  return labels;
};

const hasDefaultOpset = (model: Uint8Array): boolean =>
  [...fields(model)].some(
    ({ number, content }) => number === MODEL.opsetImport && readText(content, OPSET.domain) === '',
  );

const defaultOpset = (): Uint8Array =>
  message((writer) =>
    submessage(writer, MODEL.opsetImport, (opset) =>
      opset.tag(OPSET.version, WireType.Varint).int64(IDENTITY_SINCE),
    ),
  );

const encodeIdentity = ({ input, output }: ZipMap): Uint8Array =>
  message((writer) =>
    writer
      .tag(NODE.input, WireType.LengthDelimited)
      .string(input)
      .tag(NODE.output, WireType.LengthDelimited)
      .string(output)
      .tag(NODE.opType, WireType.LengthDelimited)
      .string('Identity'),
  );

/** float [any, classes] */
const encodeMatrix = ({ output, labels }: ZipMap): Uint8Array =>
  message((value) => {
    value.tag(VALUE.name, WireType.LengthDelimited).string(output);
    return submessage(value, VALUE.type, (type) =>
      submessage(type, TYPE.tensor, (tensor) => {
        tensor.tag(TENSOR.elementType, WireType.Varint).int32(FLOAT);
        return submessage(tensor, TENSOR.shape, (shape) => {
          submessage(shape, SHAPE.dimension, (any) => any);
          return submessage(shape, SHAPE.dimension, (classes) =>
            classes.tag(DIMENSION.value, WireType.Varint).int64(labels.length),
          );
        });
      }),
    );
  });

const message = (write: (writer: BinaryWriter) => unknown): Uint8Array => {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
};

const submessage = (
  writer: BinaryWriter,
  number: number,
  write: (writer: BinaryWriter) => unknown,
): BinaryWriter => {
  writer.tag(number, WireType.LengthDelimited).fork();
  write(writer);
  return writer.join();
};

interface Field {
  readonly number: number;
  readonly wireType: WireType;
  /** Of a length-delimited field; empty for others. */
  readonly content: Uint8Array;
  /** Of a varint. */
  readonly value: bigint | string | number;
  /** With tag and length. */
  readonly raw: Uint8Array;
}

const EMPTY = new Uint8Array();

function* fields(bytes: Uint8Array): Generator<Field> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wireType] = reader.tag();
    let content: Uint8Array = EMPTY;
    let value: Field['value'] = 0;
    if (wireType === WireType.LengthDelimited) content = reader.bytes();
    else if (wireType === WireType.Varint) value = reader.int64();
    else reader.skip(wireType, number);
    yield { number, wireType, content, value, raw: bytes.subarray(start, reader.pos) };
  }
}

/** A message with some of its length-delimited fields replaced. */
const rewrite = (bytes: Uint8Array, replace: (field: Field) => Uint8Array | undefined): Uint8Array => {
  const writer = new BinaryWriter();
  for (const field of fields(bytes)) {
    const content = replace(field);
    if (content === undefined) writer.raw(field.raw);
    else writer.tag(field.number, WireType.LengthDelimited).bytes(content);
  }
  return writer.finish();
};

const readText = (bytes: Uint8Array, wanted: number): string => {
  for (const { number, content } of fields(bytes)) if (number === wanted) return decodeText(content);
  return '';
};

const decodeText = (content: Uint8Array): string => Buffer.from(content).toString();
