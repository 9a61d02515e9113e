import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TensorSpec, TensorType } from '../../lib/engines/engine.ts';
import { identityModel, linearModel, onnxModel } from '../fixtures/onnx-model.ts';
import { artifact, tarGz } from '../fixtures/tar-archive.ts';
import type { Random } from './random.ts';

/** One element of a request or an answer, as JavaScript has it. */
export type Leaf = string | number | bigint | boolean;

/** A tensor of a request; row-major. */
export interface Given {
  readonly spec: TensorSpec;
  readonly shape: readonly number[];
  readonly values: readonly Leaf[];
}

/** A model whose right answer is known without it. */
export interface Subject {
  readonly name: string;
  readonly artifact: Uint8Array;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: number;
  give(random: Random): readonly Given[];
  /** All elements of all outputs, in their order. */
  answer(given: readonly Given[]): readonly Leaf[];
}

const input = (type: TensorType, shape: TensorSpec['shape'], name = 'x'): TensorSpec => ({
  name,
  type,
  shape,
});

/** Exact in half precision too, and never negative, so that sums lose no digits. */
const quarter = (random: Random): number => random.integer(0, 1600) / 4;

/** No NUL: onnxruntime-node hands strings over as C has them, so they end there. */
const anyText = (random: Random): string =>
  Array.from({ length: random.integer(0, 6) }, () =>
    random.pick(['a', 'Z', '0', ' ', ',', '"', '\n', 'ü', '€', '😀', '\\', '[', '\t', "'", '=']),
  ).join('');

const anyFloat = (random: Random): number =>
  random.chance(0.05) ? random.pick([Number.NaN, Infinity, -Infinity]) : quarter(random);

const ELEMENT: Partial<Record<TensorType, (random: Random) => Leaf>> = {
  float16: anyFloat,
  float32: anyFloat,
  float64: (random) => (random.chance(0.2) ? random.next() * 1e300 : anyFloat(random)),
  int64: (random) => BigInt(random.integer(-(2 ** 52), 2 ** 52)),
  uint8: (random) => random.integer(0, 255),
  int32: (random) => random.integer(-(2 ** 31), 2 ** 31 - 1),
  bool: (random) => random.chance(0.5),
  string: anyText,
};

const fill = (
  random: Random,
  spec: TensorSpec,
  shape: readonly number[],
  element: (random: Random) => Leaf,
): Given => ({
  spec,
  shape,
  values: Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => element(random)),
});

const echo = (type: TensorType, rank: number): Subject => {
  const spec = input(
    type,
    Array.from({ length: rank }, () => undefined),
  );
  const names = Array.from({ length: rank }, (_, index) => `d${index}`);
  return {
    name: `echo-${type}.tar.gz`,
    artifact: artifact(identityModel(type, names)),
    inputs: [spec],
    outputs: 1,
    give: (random) => [
      fill(
        random,
        spec,
        names.map(() => random.integer(1, 3)),
        ELEMENT[type] ?? quarter,
      ),
    ],
    answer: ([given]) => given?.values ?? [],
  };
};

/** `weights . x + bias`, for each row. */
export const linearAnswer = (values: readonly Leaf[], weights: readonly number[], bias: number): Leaf[] =>
  Array.from({ length: values.length / weights.length }, (_, row) =>
    weights.reduce(
      (sum, weight, column) => sum + weight * Number(values[row * weights.length + column]),
      bias,
    ),
  );

const WEIGHTS = [2, 1, 0.5];
const WIDE = input('float32', [undefined, 3]);
const TWO = [input('float32', [undefined, 2], 'a'), input('float32', [undefined, 2], 'b')] as const;

const linear: Subject = {
  name: 'linear.tar.gz',
  artifact: artifact(linearModel(WEIGHTS, 3)),
  inputs: [WIDE],
  outputs: 1,
  give: (random) => [fill(random, WIDE, [random.integer(1, 5), 3], quarter)],
  answer: ([given]) => linearAnswer(given?.values ?? [], WEIGHTS, 3),
};

const pair: Subject = {
  name: 'pair.tar.gz',
  artifact: artifact(
    onnxModel({
      inputs: TWO.map(({ name }) => ({ name, type: 'float32', shape: ['rows', 2] })),
      outputs: [{ name: 'sum', type: 'float32', shape: ['rows', 2] }],
      nodes: [{ op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] }],
    }),
  ),
  inputs: TWO,
  outputs: 1,
  give: (random) => {
    const rows = random.integer(1, 4);
    return TWO.map((spec) => fill(random, spec, [rows, 2], quarter));
  },
  answer: ([a, b]) => (a?.values ?? []).map((value, index) => Number(value) + Number(b?.values[index])),
};

/** Two linear models, one after the other. */
export const WORKFLOW = {
  name: 'chain',
  version: '0.1',
  models: { first: 'first.onnx', second: { modelUrl: 'parts/second.onnx' } },
  workflow: { middle: ['first', 'in'], out: ['second', 'middle'] },
};
export const WORKFLOW_FILES = {
  'first.onnx': linearModel(WEIGHTS, 3),
  'parts/second.onnx': linearModel([4], 1),
};

export const chainAnswer = (values: readonly Leaf[]): Leaf[] =>
  linearAnswer(linearAnswer(values, WEIGHTS, 3), [4], 1);

const chain: Subject = {
  ...linear,
  name: 'chain.tar.gz',
  artifact: tarGz([
    { path: 'workflow.json', content: JSON.stringify(WORKFLOW) },
    ...Object.entries(WORKFLOW_FILES).map(([path, content]) => ({ path, content })),
  ]),
  answer: ([given]) => chainAnswer(given?.values ?? []),
};

export const IRIS = readFileSync(join(import.meta.dirname, '../fixtures/iris-zipmap-strings.onnx'));
export const CLASSES = ['setosa', 'versicolor', 'virginica'];

interface Expected {
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: { readonly label: readonly number[]; readonly probabilities: readonly number[][] };
}

/** scikit-learn's own predictions for rows that the model has not seen. */
const EXPECTED = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../examples/sklearn/artifacts/iris.expected.json'), 'utf8'),
) as Expected;

const FEATURES = input('float32', [undefined, 4], 'features');

export const irisAnswer = (row: number): readonly Leaf[] => [
  CLASSES[EXPECTED.outputs.label[row] ?? 0] ?? '',
  ...(EXPECTED.outputs.probabilities[row] ?? []),
];

export const irisRow = (row: number): readonly number[] => EXPECTED.inputs[row] ?? [];

const iris: Subject = {
  name: 'iris.tar.gz',
  artifact: artifact(IRIS),
  inputs: [FEATURES],
  outputs: 2,
  give: (random) => [
    {
      spec: FEATURES,
      shape: [1, 4],
      values: irisRow(random.integer(0, EXPECTED.inputs.length - 1)),
    },
  ],
  answer: ([given]) => irisAnswer(EXPECTED.inputs.findIndex((row) => Object.is(row, given?.values))),
};

export const SUBJECTS: readonly Subject[] = [
  linear,
  pair,
  chain,
  iris,
  echo('int64', 2),
  echo('string', 2),
  echo('float32', 2),
  echo('float16', 1),
  echo('float64', 3),
  echo('bool', 1),
  echo('uint8', 2),
  echo('int32', 1),
];
