import { type Area, type HostileCase, infer, invoke } from './case.ts';

const NAME = 'features';
const INPUT = { name: NAME, shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] };
const BINARY = { name: NAME, shape: [1, 4], datatype: 'FP32', parameters: { binary_data_size: 16 } };
const ROW = Buffer.from(new Float32Array([5.1, 3.5, 1.4, 0.2]).buffer);

const ofInput = (changed: object): unknown => ({ inputs: [{ ...INPUT, ...changed }] });
const ofRequest = (changed: object): unknown => ({ inputs: [INPUT], ...changed });

const BODIES: readonly (readonly [what: string, body: unknown])[] = [
  ['no inputs', {}],
  ['inputs of null', { inputs: null }],
  ['inputs of an object', { inputs: {} }],
  ['inputs of text', { inputs: 'x' }],
  ['an empty list of inputs', { inputs: [] }],
  ['an input of null', { inputs: [null] }],
  ['an input of a number', { inputs: [1] }],
  ['an input behind null', { inputs: [INPUT, null] }],
  ['an input twice', { inputs: [INPUT, INPUT] }],
  ['an input too many', { inputs: [INPUT, { ...INPUT, name: 'more' }] }],
  ['1,000 inputs', { inputs: Array.from({ length: 1000 }, (_, index) => ({ ...INPUT, name: `i${index}` })) }],
  ['an input without a name', ofInput({ name: undefined })],
  ['a name of null', ofInput({ name: null })],
  ['a name of nothing', ofInput({ name: '' })],
  ['a name in capitals', ofInput({ name: NAME.toUpperCase() })],
  ['the name __proto__', ofInput({ name: '__proto__' })],
  ['a name of an array', ofInput({ name: [NAME] })],
  ['no datatype', ofInput({ datatype: undefined })],
  ['datatype fp32', ofInput({ datatype: 'fp32' })],
  ['datatype FP64', ofInput({ datatype: 'FP64' })],
  ['datatype FP16', ofInput({ datatype: 'FP16' })],
  ['datatype INT64', ofInput({ datatype: 'INT64' })],
  ['datatype BYTES', ofInput({ datatype: 'BYTES', data: ['a', 'b', 'c', 'd'] })],
  ['datatype BF16', ofInput({ datatype: 'BF16' })],
  ['datatype constructor', ofInput({ datatype: 'constructor' })],
  ['datatype of an array', ofInput({ datatype: ['FP32'] })],
  ['no shape', ofInput({ shape: undefined })],
  ['a shape of null', ofInput({ shape: null })],
  ['a shape of text', ofInput({ shape: '1,4' })],
  ['a shape of a number', ofInput({ shape: 4 })],
  ['an empty shape', ofInput({ shape: [] })],
  ['a shape of one dimension', ofInput({ shape: [4] })],
  ['a shape of three dimensions', ofInput({ shape: [1, 1, 4] })],
  ['100,000 dimensions', ofInput({ shape: new Array(100_000).fill(1) })],
  ['a shape of nothing', ofInput({ shape: [0, 4], data: [] })],
  ['a negative shape', ofInput({ shape: [-1, 4] })],
  ['a shape of fractions', ofInput({ shape: [1.5, 4] })],
  ['a shape of texts', ofInput({ shape: ['1', '4'] })],
  ['a shape of null and 4', ofInput({ shape: [null, 4] })],
  ['a shape of another width', ofInput({ shape: [4, 1] })],
  ['a shape beyond the data', ofInput({ shape: [2, 4] })],
  ['a shape of 2^31 rows', ofInput({ shape: [2 ** 31, 4] })],
  ['a shape of 2^31 - 1 rows', ofInput({ shape: [2 ** 31 - 1, 4] })],
  ['a shape beyond 2^53', ofInput({ shape: [Number.MAX_SAFE_INTEGER, 4] })],
  ['no data', ofInput({ data: undefined })],
  ['data of null', ofInput({ data: null })],
  ['data of an object', ofInput({ data: { length: 4 } })],
  ['data of text', ofInput({ data: '5.1,3.5,1.4,0.2' })],
  ['data of base64', ofInput({ data: ROW.toString('base64') })],
  ['no elements', ofInput({ data: [] })],
  ['an element too few', ofInput({ data: [1, 1, 1] })],
  ['an element too many', ofInput({ data: [1, 1, 1, 1, 1] })],
  ['an element of null', ofInput({ data: [null, 1, 1, 1] })],
  ['an element of text', ofInput({ data: ['1', 1, 1, 1] })],
  ['an element of an array behind others', ofInput({ data: [1, 1, 1, [1]] })],
  ['ragged rows', ofInput({ shape: [2, 4], data: [[1, 1, 1, 1], [1]] })],
  ['rows within rows', ofInput({ data: [[[1, 1, 1, 1]]] })],
  ['rows in the place of columns', ofInput({ data: [[1], [1], [1], [1]] })],
  ['a binary size without bytes', ofInput({ data: undefined, parameters: { binary_data_size: 16 } })],
  [
    'shared memory',
    ofInput({ data: undefined, parameters: { shared_memory_region: 'r', shared_memory_byte_size: 16 } }),
  ],
  ['an id of a number', ofRequest({ id: 1 })],
  ['an id of an object', ofRequest({ id: {} })],
  ['outputs of an object', ofRequest({ outputs: {} })],
  ['outputs of null', ofRequest({ outputs: null })],
  ['outputs of texts', ofRequest({ outputs: ['label'] })],
  ['an output of null', ofRequest({ outputs: [null] })],
  ['an output without a name', ofRequest({ outputs: [{}] })],
  ['an output that is not there', ofRequest({ outputs: [{ name: 'none' }] })],
  ['the output constructor', ofRequest({ outputs: [{ name: 'constructor' }] })],
  ['an output twice', ofRequest({ outputs: [{ name: 'x' }, { name: 'x' }] })],
  ['rows of SageMaker', { instances: [[1, 1, 1]] }],
];

const shapes = BODIES.map(
  ([what, body]): HostileCase => ({
    name: `Open Inference: ${what}`,
    speaker: 'open-inference',
    status: 400,
    type: 'ValidationError',
    send: (ground) => infer(ground, { body: JSON.stringify(body) }),
  }),
);

/** A request with a tensor of bytes behind its JSON. */
const binary = (
  input: object = BINARY,
  bytes: Buffer = ROW,
): { readonly body: Buffer; readonly length: number } => {
  const json = Buffer.from(JSON.stringify({ inputs: [input] }));
  return { body: Buffer.concat([json, bytes]), length: json.length };
};

const LENGTH = 'inference-header-content-length';
const GOOD = binary();

/** Where the JSON ends, told wrongly; `hex` and its like would be right if they were read as numbers. */
const headerLengths = [
  '',
  '0',
  '1',
  '-1',
  String(GOOD.length - 1),
  String(GOOD.length + 1),
  String(GOOD.body.length),
  String(GOOD.body.length + 1),
  '99999999999999999999',
  '9007199254740993',
  'NaN',
  'Infinity',
  'abc',
  `${GOOD.length}.5`,
  `${GOOD.length}.0`,
  `+${GOOD.length}`,
  `0x${GOOD.length.toString(16)}`,
  `0b${GOOD.length.toString(2)}`,
  `${GOOD.length / 100}e2`,
  `${GOOD.length} bytes`,
  `${GOOD.length};x=y`,
  `"${GOOD.length}"`,
  `${GOOD.length},${GOOD.length}`,
  `${GOOD.length}, 1`,
  `00000000000000000000${GOOD.length}`,
].map(
  (value): HostileCase => ({
    name: `Inference-Header-Content-Length ${JSON.stringify(value)} of ${GOOD.length}`,
    speaker: 'open-inference',
    status: 400,
    type: 'ValidationError',
    send: (ground) => infer(ground, { headers: { [LENGTH]: value }, body: GOOD.body }),
  }),
);

const twice: HostileCase = {
  name: 'Inference-Header-Content-Length twice',
  speaker: 'open-inference',
  status: 400,
  type: 'ValidationError',
  send: (ground) =>
    infer(ground, { headers: { [LENGTH]: String(GOOD.length) }, more: [[LENGTH, '2']], body: GOOD.body }),
};

const sized = (size: unknown): object => ({ ...BINARY, parameters: { binary_data_size: size } });

const binarySizes = (
  [
    ['0', sized(0)],
    ['-16', sized(-16)],
    ['15', sized(15)],
    ['17', sized(17)],
    ['16.5', sized(16.5)],
    ['text', sized('16')],
    ['null', sized(null)],
    ['true', sized(true)],
    ['an array', sized([16])],
    ['2^53', sized(2 ** 53)],
    ['2^32 + 16', sized(2 ** 32 + 16)],
    ['8 of 16', sized(8)],
    ['16 for two rows', { ...sized(16), shape: [2, 4] }],
    ['16 for no row', { ...sized(16), shape: [0, 4] }],
    ['16 as FP64', { ...sized(16), datatype: 'FP64', shape: [1, 2] }],
    ['16 as BYTES', { ...sized(16), datatype: 'BYTES' }],
    ['none, and bytes', INPUT],
  ] as const
).map(
  ([what, input]): HostileCase => ({
    name: `binary_data_size: ${what}`,
    speaker: 'open-inference',
    status: 400,
    type: 'ValidationError',
    send: (ground) => {
      const { body, length } = binary(input);
      return infer(ground, { headers: { [LENGTH]: String(length) }, body });
    },
  }),
);

const binaryBodies = (
  [
    ['bytes cut off', binary(BINARY, ROW.subarray(0, 10))],
    ['bytes and a rest', binary(BINARY, Buffer.concat([ROW, ROW]))],
    ['no bytes', binary(BINARY, Buffer.alloc(0))],
    ['no body', { body: Buffer.alloc(0), length: 0 }],
    [
      'JSON that is no UTF-8',
      { body: Buffer.concat([Buffer.from('{"id":"\xff"}', 'latin1'), ROW]), length: 10 },
    ],
    ['JSON of a list', { body: Buffer.concat([Buffer.from('[]'), ROW]), length: 2 }],
  ] as const
).flatMap(([what, { body, length }]): readonly HostileCase[] => [
  {
    name: `tensors as bytes: ${what}`,
    speaker: 'open-inference',
    status: 400,
    type: 'ValidationError',
    send: (ground) => infer(ground, { headers: { [LENGTH]: String(length) }, body }),
  },
  {
    name: `tensors as bytes through SageMaker: ${what}`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) =>
      invoke(ground, {
        headers: {
          'content-type': `application/vnd.sagemaker-triton.binary+json;json-header-size=${length}`,
        },
        body,
      }),
  },
]);

const headerSizes = [
  '',
  '-1',
  'abc',
  `0x${GOOD.length.toString(16)}`,
  `${GOOD.length}.0`,
  `+${GOOD.length}`,
  '1e9',
].map(
  (value): HostileCase => ({
    name: `json-header-size=${value}`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) =>
      invoke(ground, {
        headers: { 'content-type': `application/vnd.sagemaker-triton.binary+json;json-header-size=${value}` },
        body: GOOD.body,
      }),
  }),
);

export const openInferenceCases: Area = {
  area: 'Open Inference',
  cases: [...shapes, ...headerLengths, twice, ...binarySizes, ...binaryBodies, ...headerSizes],
};

/** What must be taken, so that the wrong ones are refused for what is wrong with them. */
export const goodOpenInference = { json: JSON.stringify({ inputs: [INPUT] }), ...GOOD };
