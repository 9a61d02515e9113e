import { gzipSync } from 'node:zlib';
import { linearModel, onnxModel } from '../fixtures/onnx-model.ts';
import { type TarEntry, tar } from '../fixtures/tar-archive.ts';
import type { Case } from './bodies.ts';
import { placesOf, Raw, replaceAt, toJson } from './json-text.ts';
import { damage, type Random, randomOf } from './random.ts';
import {
  chainAnswer,
  IRIS,
  irisAnswer,
  irisRow,
  type Leaf,
  linearAnswer,
  WORKFLOW,
  WORKFLOW_FILES,
} from './subjects.ts';

export interface ArchiveCase extends Case {
  readonly bytes: Buffer;
}

/** A good artifact before it is packed. */
interface Sample {
  readonly what: string;
  readonly files: readonly TarEntry[];
  readonly body: string;
  readonly expected: readonly Leaf[];
}

interface Packed {
  readonly what: string;
  readonly bytes: Buffer;
  readonly verdict: Case['verdict'];
  readonly isBare?: boolean;
  /** Where it is not the one that was handed in. */
  readonly sample?: Sample;
}

const LINEAR: Sample = {
  what: 'linear',
  files: [{ path: 'model.onnx', content: linearModel([2, 1, 0.5], 3) }],
  body: '[[1,2,4],[10,0,0]]',
  expected: linearAnswer([1, 2, 4, 10, 0, 0], [2, 1, 0.5], 3),
};

const SAMPLES: readonly Sample[] = [
  LINEAR,
  {
    what: 'zipmap',
    files: [{ path: 'model.onnx', content: IRIS }],
    body: JSON.stringify([irisRow(3)]),
    expected: irisAnswer(3),
  },
  {
    what: 'workflow',
    files: [
      { path: 'workflow.json', content: JSON.stringify(WORKFLOW, null, 2) },
      ...Object.entries(WORKFLOW_FILES).map(([path, content]) => ({ path, content })),
    ],
    body: '[[1,2,4],[10,0,0]]',
    expected: chainAnswer([1, 2, 4, 10, 0, 0]),
  },
  {
    ...LINEAR,
    what: 'properties',
    files: [
      ...LINEAR.files,
      {
        path: 'serving.properties',
        content:
          'engine=OnnxRuntime\nminWorkers=1\nmaxWorkers=4\noption.intraOpNumThreads=1\nrequired_memory_mb=1\n',
      },
    ],
  },
  {
    ...LINEAR,
    what: 'external',
    files: [
      { path: 'weights.bin', content: Buffer.from(Float32Array.of(2, 1, 0.5).buffer) },
      { path: 'model.onnx', content: externalModel('weights.bin') },
    ],
  },
];

function externalModel(location: string): Uint8Array {
  return onnxModel({
    inputs: [{ name: 'x', type: 'float32', shape: ['batch', 3] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['batch', 1] }],
    nodes: [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['xw'] },
      { op: 'Add', inputs: ['xw', 'b'], outputs: ['y'] },
    ],
    weights: [
      { name: 'w', shape: [3, 1], values: [], externalLocation: location },
      { name: 'b', shape: [1], values: [3] },
    ],
  });
}

/** The artifact of this number, and a request for it. */
export const archiveCase = (seed: number, number: number): ArchiveCase => {
  const random = randomOf(seed, 'archive', number);
  const picked = random.pick(SAMPLES);
  const { what, bytes, verdict, isBare = false, sample = picked } = random.pick(MAKERS)(random, picked);
  return {
    number,
    what,
    bytes,
    verdict,
    expected: sample.expected,
    call: {
      model: `case-${number}${isBare ? '.onnx' : '.tar.gz'}`,
      contentType: 'application/json',
      accept: undefined,
      body: sample.body,
      isBase64Encoded: false,
    },
  };
};

type Maker = (random: Random, sample: Sample) => Packed;

const pack = (what: string, files: readonly TarEntry[], verdict: Packed['verdict']): Packed => ({
  what,
  bytes: gzipSync(tar(files), { level: 1 }),
  verdict,
});

const edit = (
  { files }: Sample,
  path: RegExp,
  change: (content: Buffer) => string | Uint8Array,
): readonly TarEntry[] =>
  files.map((file) =>
    path.test(file.path) ? { ...file, content: change(Buffer.from(file.content ?? '')) } : file,
  );

const good: Maker = (random, { files }) =>
  pack(
    'good',
    random.pick([
      files,
      files.toReversed(),
      files.map((file) => ({ ...file, path: `./${file.path}` })),
      [{ path: './', flag: '5' }, ...files],
      files.map((file) => ({ ...file, flag: random.pick(['0', '\0', '7']) })),
      [...files, { path: 'README.md', content: 'text' }],
    ]),
    'right',
  );

const gzipDamage: Maker = (random, { files }) => ({
  what: 'gzip: damaged',
  bytes: damage(random, gzipSync(tar(files))),
  verdict: 'right-or-refused',
});

const gzipCut: Maker = (random, { files }) => {
  const bytes = gzipSync(tar(files));
  return {
    what: 'gzip: cut',
    bytes: bytes.subarray(0, random.integer(0, bytes.length - 1)),
    verdict: 'refused',
  };
};

const gzipMembers: Maker = (random, sample) => {
  const whole = tar(sample.files);
  const at = random.integer(0, whole.length);
  const halves = [whole.subarray(0, at), whole.subarray(at)].map((part) => gzipSync(part));
  const other = gzipSync(tar(random.pick(SAMPLES).files));
  const [bytes, verdict] = random.pick<readonly [Buffer, Packed['verdict']]>([
    // RFC 1952 allows several members; the worker takes one alone.
    [Buffer.concat(halves), 'right-or-refused'],
    [Buffer.concat([gzipSync(Buffer.alloc(0)), ...halves]), 'right-or-refused'],
    [Buffer.concat([gzipSync(whole), other]), 'any'],
    [Buffer.concat([...halves, random.bytes(20)]), 'refused'],
    [Buffer.concat([...halves, Buffer.alloc(512)]), 'right-or-refused'],
    [gzipSync(gzipSync(whole)), 'refused'],
    [whole, 'refused'],
    [Buffer.concat(halves.toReversed()), 'any'],
  ]);
  return { what: 'gzip: members', bytes, verdict };
};

const tarDamage: Maker = (random, { files }) => ({
  what: 'tar: damaged',
  bytes: gzipSync(damage(random, tar(files))),
  verdict: 'any',
});

/** The sum is right again, so what is in the header is believed. */
const tarHeader: Maker = (random, { files }) => {
  const bytes = tar(files);
  const header = bytes.subarray(0, 512);
  for (let times = random.integer(1, 3); times > 0; times--) {
    const [at, length] = random.pick([
      [0, 100],
      [100, 24],
      [124, 12],
      [136, 12],
      [156, 1],
      [157, 100],
      [257, 8],
      [265, 64],
      [329, 16],
      [345, 155],
    ] as const);
    const value = random.pick([
      random.bytes(length),
      Buffer.alloc(length, 0xff),
      Buffer.alloc(length, '7'),
      Buffer.alloc(length),
      Buffer.from([0x80, ...random.bytes(length)]),
    ]);
    value.copy(header, at, 0, length);
  }
  header.write(' '.repeat(8), 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return { what: 'tar: header', bytes: gzipSync(bytes), verdict: 'any' };
};

const tarSize: Maker = (random, { files }) =>
  pack(
    'tar: size',
    files.map((file, index) =>
      index === 0
        ? { ...file, sizeBytes: random.pick([0, 1, 511, 512, 513, 100_000, 8 ** 10, 8 ** 11 - 1]) }
        : file,
    ),
    'any',
  );

const onnxDamage: Maker = (random, sample) =>
  pack(
    'onnx: damaged',
    edit(sample, /\.onnx$/, (bytes) => damage(random, bytes)),
    'any',
  );

const onnxBare: Maker = (random, sample) => {
  const bytes = Buffer.from(sample.files.find(({ path }) => path.endsWith('.onnx'))?.content ?? '');
  return {
    what: 'onnx: bare',
    bytes: random.pick([damage(random, bytes), Buffer.alloc(0), random.bytes(100), gzipSync(bytes)]),
    verdict: 'any',
    isBare: true,
  };
};

const NAMES = [
  'x',
  'y',
  '__proto__',
  'constructor',
  'toString',
  '',
  'line\nbreak',
  'n'.repeat(5000),
  '\u0000',
];
const OPS = [
  'Add',
  'MatMul',
  'Identity',
  'Relu',
  'Concat',
  'Reshape',
  'Gather',
  'Loop',
  'Split',
  'Cast',
  'ZipMap',
  'Slice',
  'Tile',
  'Expand',
  'Resize',
  'TopK',
  'Range',
  'SequenceConstruct',
  'Nope',
];
const TYPES = ['float32', 'int64', 'string', 'bool', 'float16', 'float64', 'uint8'] as const;
const SIZES = [0, 1, 2, 3, 7, 2 ** 31, 2 ** 40, 'n', 'm'] as const;

/** Files that are right as protobuf, and graphs that mostly are not. */
const onnxGraph: Maker = (random) => {
  const shape = () => Array.from({ length: random.integer(0, 3) }, () => random.pick(SIZES));
  const names = Array.from({ length: 4 }, () =>
    random.chance(0.9) ? random.pick(['x', 'y']) : random.pick(NAMES),
  );
  const name = () => random.pick([...names, 'w']);
  const value = () => ({
    name: name(),
    type: random.pick(TYPES),
    shape: shape(),
    kind: random.chance(0.1) ? ('sequence' as const) : ('tensor' as const),
  });
  const content = onnxModel({
    inputs: Array.from({ length: random.integer(0, 2) }, value),
    outputs: Array.from({ length: random.integer(0, 2) }, value),
    nodes: Array.from({ length: random.integer(0, 4) }, () => ({
      op: random.pick(OPS),
      inputs: Array.from({ length: random.integer(0, 3) }, name),
      outputs: Array.from({ length: random.integer(0, 2) }, name),
    })),
    weights: [
      {
        name: 'w',
        shape: shape().map((size) => (typeof size === 'number' ? size : 2)),
        values: [1, 2, 3],
        type: random.pick(TYPES),
      },
    ],
  });
  return pack('onnx: graph', [{ path: 'model.onnx', content }], 'any');
};

const ESCAPES = [
  '/etc/hostname',
  '../../../../../../etc/hostname',
  '../weights.bin',
  'weights.bin/..',
  '',
  '.',
  'missing.bin',
  'w\0',
  '/proc/self/environ',
  'a'.repeat(5000),
];

const onnxExternal: Maker = (random, sample) =>
  pack(
    'onnx: external data elsewhere',
    [
      ...sample.files.filter(({ path }) => path === 'weights.bin'),
      { path: 'model.onnx', content: externalModel(random.pick(ESCAPES)) },
    ],
    'refused',
  );

const WORKFLOW_TOKENS: readonly unknown[] = [
  null,
  {},
  [],
  1,
  true,
  '',
  'x',
  'in',
  'out',
  'first',
  'first.onnx',
  'parts',
  'parts/',
  '../first.onnx',
  '/etc/passwd',
  './',
  '.',
  's3://bucket/key',
  'https://x/y',
  'com.example.Step',
  'line\nbreak',
  'nul\0',
  '__proto__',
  '{model_dir}',
  '{model_dir}/first.onnx',
  'case-0.tar.gz',
  'x/'.repeat(3000),
  'y'.repeat(300),
  ['first', 'in'],
  ['id', 'in'],
  ['ensemble', 'middle', 'middle'],
  ['functionsApply', ['first', 'first'], 'in'],
  ['first'],
  ['first', 'out'],
  new Raw('['.repeat(100_000) + ']'.repeat(100_000)),
  new Raw(`${'["id",'.repeat(40)}"in"${']'.repeat(40)}`),
  new Raw('1e999'),
  new Raw('{'),
  Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`v${index}`, `v${index + 1}`])),
];

const workflow: Maker = (random) => {
  const files = Object.entries(WORKFLOW_FILES).map(([path, content]) => ({ path, content }));
  const places = placesOf(WORKFLOW);
  const changed = replaceAt(WORKFLOW, random.pick(places), (old) =>
    random.pick([() => random.pick(WORKFLOW_TOKENS), () => [old], () => ({ [random.pick(KEYS)]: old })])(),
  );
  const links = random.pick([10, 300, 5000]);
  const chained = {
    ...WORKFLOW,
    workflow: {
      ...Object.fromEntries(Array.from({ length: links }, (_, index) => [`v${index}`, `v${index + 1}`])),
      [`v${links}`]: ['first', 'in'],
      out: 'v0',
    },
  };
  const content = random.pick([
    toJson(changed),
    toJson(changed),
    toJson(changed),
    toJson(chained),
    '',
    'null',
    `${JSON.stringify(WORKFLOW, null, 2)}}`,
  ]);
  return pack('workflow: changed', [{ path: 'workflow.json', content }, ...files], 'any');
};

const KEYS = [
  'modelUrl',
  'name',
  'first',
  'in',
  'out',
  '__proto__',
  'ensemble',
  'line\nbreak',
  'k'.repeat(5000),
];

const workflowDamage: Maker = (random, sample) =>
  pack(
    'workflow: damaged',
    edit(sample, /workflow\.json/, (bytes) => damage(random, bytes)),
    'any',
  );

const PROPERTIES = [
  'engine',
  'minWorkers',
  'maxWorkers',
  'batch_size',
  'max_batch_delay',
  'max_idle_time',
  'required_memory_mb',
  'job_queue_size',
  'option.intraOpNumThreads',
  'option.interOpNumThreads',
  'option.executionMode',
  'option.optLevel',
  'option.cpuArenaAllocator',
  'option.memoryPatternOptimization',
  'option.model_id',
  'option.entryPoint',
  '__proto__',
  'gpu.minWorkers',
];
const VALUES = [
  '',
  '0',
  '1',
  '-1',
  '16',
  '17',
  '1000',
  '1001',
  '10240',
  '999999999999999',
  '1e3',
  'NaN',
  'true',
  'false',
  'PARALLEL',
  'NO_OPT',
  'ALL_OPT',
  'Python',
  'OnnxRuntime',
  'JavaScript',
  'Workflow',
  's3://b/k',
  's3://bucket/../key',
  '\\u0000',
  '\\uZZZZ',
  '\\',
  'x'.repeat(5000),
  'line\\nbreak',
  'a \\\n b',
];

/** What a model answers does not depend on its properties, so it is right where there is an answer. */
const properties: Maker = (random, { files }) => {
  const lines = Array.from(
    { length: random.integer(1, 4) },
    () => `${random.pick(PROPERTIES)}${random.pick(['=', ':', ' ', ' = '])}${random.pick(VALUES)}`,
  );
  const content = random.chance(0.1)
    ? random.pick([`#${'x'.repeat(70_000)}`, 'a=b\n'.repeat(10_000), Buffer.from([0xff, 0xfe, 0x00])])
    : lines.join(random.pick(['\n', '\r\n']));
  const others = files.filter(({ path }) => path !== 'serving.properties');
  return pack('properties', [...others, { path: 'serving.properties', content }], 'right-or-refused');
};

const propertiesDamage: Maker = (random, sample) =>
  pack(
    'properties: damaged',
    edit(sample, /serving\.properties/, (bytes) => damage(random, bytes)),
    'right-or-refused',
  );

const junk: Maker = (random) => ({
  what: 'random bytes',
  bytes: random.pick([
    random.bytes(random.integer(0, 3000)),
    gzipSync(random.bytes(random.integer(0, 3000))),
  ]),
  verdict: 'refused',
});

const OTHER_NAMES = [
  'model.py',
  'model.pkl',
  'model.mjs',
  '.model.onnx',
  'models/model.onnx',
  'MODEL.ONNX',
  'model.onnx.txt',
  'a\nb.onnx',
  'ü€😀.onnx',
  '.onnx',
  'x.onnx',
  `${'x'.repeat(90)}.onnx`,
];

const names: Maker = (random) => ({
  ...pack(
    'names',
    LINEAR.files.map((file) => ({ ...file, path: random.pick(OTHER_NAMES) })),
    'right-or-refused',
  ),
  sample: LINEAR,
});

/** Where a file is looked for there is a folder. */
const folders: Maker = (random, { files }) => {
  const path = random.pick([
    'workflow.json/x',
    'serving.properties/x',
    'model.onnx/x',
    'model.mjs/x',
    'model.onnx.tensors/x',
    'first.onnx/x',
    'parts/x',
    '.json/x',
  ]);
  const own = path.split('/')[0] ?? '';
  return pack(
    'folders',
    [{ path, content: 'x' }, ...files.filter((file) => file.path !== own)],
    'right-or-refused',
  );
};

const ATTACKS = [
  '../escaped',
  '../../escaped',
  '../../../../../../../../../../tmp/fuzz-escaped',
  '/tmp/fuzz-escaped',
  'a/../../escaped',
  './../escaped',
  'C:/escaped',
  'C:escaped',
  '\\escaped',
  'a\\..\\escaped',
  'a/..',
  '..',
  'x\u0001y',
  'model.onnx/escaped',
  'Model.onnx',
  'model.onnx',
  `${'a/'.repeat(49)}b`,
];

const paths: Maker = (random) => {
  const path = random.pick(ATTACKS);
  const extra = { path, content: 'escaped' };
  // The last is only deep.
  const verdict = path.startsWith('a/a/') ? 'right' : 'refused';
  return {
    ...pack('path', random.chance(0.5) ? [...LINEAR.files, extra] : [extra, ...LINEAR.files], verdict),
    sample: LINEAR,
  };
};

const FLAGS = [
  '1',
  '2',
  '3',
  '4',
  '6',
  'x',
  'g',
  'L',
  'K',
  'S',
  'D',
  'M',
  'V',
  'N',
  'A',
  'I',
  'X',
  'Z',
  '8',
  '\xff',
];

const types: Maker = (random, { files }) => {
  const flag = random.pick(FLAGS);
  const extra = {
    path: random.pick(['link', 'model.onnx', 'a/b', 'serving.properties']),
    flag,
    linkTarget: random.pick(['/etc/passwd', '../../x', 'model.onnx', '']),
    content: random.pick(['', 'text', '17 path=../../x\n', Buffer.alloc(600)]),
  };
  const isLink = ['1', '2', '3', '4', '6'].includes(flag);
  return pack('type', random.chance(0.5) ? [extra, ...files] : [...files, extra], isLink ? 'refused' : 'any');
};

/** A pax record counts its own length. */
const record = (key: string, value: string): string => {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  const digits = String(rest + String(rest).length).length;
  return `${rest + digits} ${key}=${value}\n`;
};

const PAX: readonly (readonly [string, string])[] = [
  ['path', '../escaped'],
  ['path', '/tmp/fuzz-escaped'],
  ['path', ''],
  ['path', 'x'.repeat(600)],
  ['path', `${'y'.repeat(245)}.onnx`],
  ['path', `${'y'.repeat(250)}.onnx`],
  ['path', 'a\0b'],
  ['path', 'model.onnx/..'],
  ['linkpath', '/etc/passwd'],
  ['size', '-1'],
  ['size', '0'],
  ['size', '99999999999999999999'],
  ['size', 'NaN'],
  ['size', '1e3'],
  ['size', ''],
  ['mtime', '1e99'],
  ['uid', '-5'],
  ['GNU.sparse.major', '1'],
  ['GNU.sparse.size', '5'],
  ['SCHILY.dev', '1'],
  ['__proto__', 'x'],
  ['type', 'SymbolicLink'],
  ['mode', '511'],
];

const pax: Maker = (random, { files }) => {
  const records = Array.from({ length: random.integer(1, 2) }, () => record(...random.pick(PAX))).join('');
  const content = random.pick([
    records,
    records,
    records,
    records.slice(0, -1),
    `5${records}`,
    'x',
    '0 a=b\n',
    '-1 a=b\n',
    'a'.repeat(2_000_000),
  ]);
  return pack('pax', [{ path: 'pax', flag: random.pick(['x', 'x', 'g']), content }, ...files], 'any');
};

const longNames: Maker = (random, { files }) => {
  const [first, ...rest] = files;
  const path = random.pick(['L', 'L', 'L']);
  const name = random.pick([
    'model.onnx\0',
    '../escaped\0',
    '/tmp/fuzz-escaped\0',
    `${'y'.repeat(250)}.onnx\0`,
    'z'.repeat(100_000),
    '\0',
    '',
  ]);
  return pack(
    'gnu long name',
    [
      { path: '././@LongLink', flag: path, content: name },
      ...(first ? [{ ...first, path: 'short' }] : []),
      ...rest,
    ],
    'any',
  );
};

const bombs: Maker = (random, { files }) =>
  pack(
    'bomb',
    random.pick<readonly TarEntry[]>([
      [...files, { path: 'zeros', content: Buffer.alloc(5_000_000) }],
      [...files, ...Array.from({ length: 20 }, (_, index) => ({ path: `f${index}`, content: '' }))],
      [...files, ...Array.from({ length: 3000 }, () => ({ path: 'd/', flag: '5' }))],
      [
        ...files,
        ...Array.from({ length: 8 }, (_, index) => ({ path: `z${index}`, content: Buffer.alloc(600_000) })),
      ],
      [{ path: 'pax', flag: 'x', content: Buffer.alloc(8_000_000, '1') }, ...files],
    ]),
    'refused',
  );

const MAKERS: readonly Maker[] = [
  good,
  good,
  gzipDamage,
  gzipDamage,
  gzipCut,
  gzipMembers,
  tarDamage,
  tarDamage,
  tarHeader,
  tarSize,
  onnxDamage,
  onnxDamage,
  onnxDamage,
  onnxBare,
  onnxGraph,
  onnxGraph,
  onnxExternal,
  workflow,
  workflow,
  workflowDamage,
  properties,
  properties,
  propertiesDamage,
  junk,
  names,
  folders,
  paths,
  types,
  types,
  pax,
  pax,
  longNames,
  bombs,
];
