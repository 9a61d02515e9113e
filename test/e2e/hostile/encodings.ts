import { type Area, type HostileCase, infer, invoke, predict } from './case.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const around = (hex: string): Buffer =>
  Buffer.concat([Buffer.from('{"inputs":"'), bytes(hex), Buffer.from('"}')]);

const notUtf8 = [
  ['a byte that only continues', around('80')],
  ['a character cut off', around('e2 82')],
  ['a slash in two bytes', around('c0 af')],
  ['a surrogate', around('ed a0 80')],
  ['a character beyond Unicode', around('f4 90 80 80')],
  ['bytes that UTF-8 never has', around('fe ff')],
  ['latin1', Buffer.from('{"inputs":"caf\xe9"}', 'latin1')],
  ['UTF-16, little-endian', Buffer.from('\ufeff[[5.1,3.5,1.4,0.2]]', 'utf16le')],
  ['UTF-16, big-endian', Buffer.from('\ufeff[[5.1,3.5,1.4,0.2]]', 'utf16le').swap16()],
  ['UTF-8 behind a BOM', Buffer.from('\ufeff[[5.1,3.5,1.4,0.2]]')],
  ['gzip without a word', bytes('1f 8b 08 00 00 00 00 00 00 03')],
  ['a NUL before', Buffer.from('\0[[5.1,3.5,1.4,0.2]]')],
  ['a NUL behind', Buffer.from('[[5.1,3.5,1.4,0.2]]\0')],
  ['base64 of it', Buffer.from(Buffer.from('[[5.1,3.5,1.4,0.2]]').toString('base64'))],
  ['percent signs', Buffer.from('%5B%5B5.1%2C3.5%2C1.4%2C0.2%5D%5D')],
  ['JSON in a string', Buffer.from('"[[5.1,3.5,1.4,0.2]]"')],
  ['a form', Buffer.from('instances=[[5.1,3.5,1.4,0.2]]')],
].flatMap(([what, body]): readonly HostileCase[] => [
  {
    name: `${what as string} to SageMaker`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { body: body as Buffer }),
  },
  {
    name: `${what as string} to Open Inference`,
    speaker: 'open-inference',
    status: 400,
    type: 'ValidationError',
    send: (ground) => infer(ground, { body: body as Buffer }),
  },
]);

const ROW = '5.1,3.5,1.4,0.2';

/** Bodies of JSON, or nearly, that no model with one input of [any, 4] takes. */
const JSON_BODIES = [
  '',
  ' ',
  '{',
  '[',
  '}',
  '[[',
  `[[${ROW}]`,
  `[[${ROW}]]]`,
  `[[${ROW}]][[${ROW}]]`,
  `[[${ROW}],]`,
  `[[${ROW},]]`,
  `{"instances":[[${ROW}]],}`,
  `{'instances':[[${ROW}]]}`,
  `{instances:[[${ROW}]]}`,
  `[[${ROW}]] // rows`,
  `/* rows */ [[${ROW}]]`,
  '[[NaN,1,1,1]]',
  '[[Infinity,1,1,1]]',
  '[[-Infinity,1,1,1]]',
  '[[nan,1,1,1]]',
  '[[undefined,1,1,1]]',
  '[[None,1,1,1]]',
  '[[0x10,1,1,1]]',
  '[[01,1,1,1]]',
  '[[1.,1,1,1]]',
  '[[.5,1,1,1]]',
  '[[+1,1,1,1]]',
  '[[1e,1,1,1]]',
  '[[1_000,1,1,1]]',
  '[[1n,1,1,1]]',
  '[[--1,1,1,1]]',
  '[["\u0001",1,1,1]]',
  '[["\\x41",1,1,1]]',
  '[["\\ud800",1,1,1]]',
  '[["\\u12",1,1,1]]',
  '[[1e999,1,1,1]]',
  '[[-1e999,1,1,1]]',
  '[[1e39,1,1,1]]',
  '[["1",1,1,1]]',
  '[["nan",1,1,1]]',
  '[["inf",1,1,1]]',
  '[[null,1,1,1]]',
  '[[true,1,1,1]]',
  '[[{},1,1,1]]',
  '[[[1],1,1,1]]',
  'null',
  'true',
  '42',
  '-0',
  '"text"',
  '[]',
  '{}',
  '[[]]',
  '[{}]',
  '[null]',
  '[1,1,1,1]',
  `[[[${ROW}]]]`,
  '[[1,1,1]]',
  '[[1,1,1,1,1]]',
  '[[1,1,1,1],[1,1,1]]',
  '[[1,1,1,1],1]',
  '[[1,1,1,1],null]',
  '{"instances":null}',
  '{"instances":{}}',
  '{"instances":[]}',
  '{"instances":[[]]}',
  '{"instances":[{}]}',
  '{"instances":[{"none":1}]}',
  `{"instances":[[${ROW}]],"inputs":[[${ROW}]]}`,
  `{"instances":[[${ROW}]],"signature_name":"x"}`,
  '{"inputs":null}',
  '{"inputs":{}}',
  '{"inputs":{"none":[[1,1,1,1]]}}',
  `{"Instances":[[${ROW}]]}`,
  `{"__proto__":{"instances":[[${ROW}]]}}`,
  `{"instances":[[${ROW}]],"__proto__":{}}`,
  `{"constructor":{"prototype":{"instances":[[${ROW}]]}}}`,
  '{"instances":{"length":1,"0":[1,1,1,1]}}',
  '{"toString":1}',
  '{"instances":[{"__proto__":[1,1,1,1]}]}',
  `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  `{"instances":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
  `[[${'9'.repeat(400)},1,1,1]]`,
] as const;

const shown = (body: string): string =>
  JSON.stringify(body.length > 60 ? `${body.slice(0, 60)}... (${body.length})` : body);

const json = JSON_BODIES.map(
  (body): HostileCase => ({
    name: `JSON ${shown(body)}`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { body }),
  }),
);

/** The other doors read with the same codecs: a few of each kind. */
const jsonElsewhere = [
  '',
  '{',
  'null',
  '[[NaN,1,1,1]]',
  '[[1,1,1]]',
  '{"instances":[]}',
  '['.repeat(100_000),
].flatMap((body): readonly HostileCase[] => [
  {
    name: `JSON ${shown(body)} to DJL`,
    speaker: 'djl',
    status: 400,
    type: 'ValidationError',
    send: (ground) => predict(ground, { body }),
  },
  {
    name: `JSON ${shown(body)} to an MME container's invoke`,
    speaker: 'djl',
    status: 400,
    type: 'ValidationError',
    send: (ground) => predict(ground, { target: '/models/tenant-7~1iris/invoke', body }),
  },
]);

const csv = [
  '',
  '\n',
  'a,b,c,d\n5.1,3.5,1.4,0.2',
  '5.1;3.5;1.4;0.2',
  '5.1,3.5,1.4',
  '5.1,3.5,1.4,0.2,1',
  '5.1,3.5,1.4,0.2\n1',
  '5.1,3.5,1.4,0.2\n\n',
  '5.1,,1.4,0.2',
  '5.1,"3.5,1.4,0.2',
  '5.1,"3.5"x,1.4,0.2',
  '5.1,3.5,1.4,0x10',
  '5.1,3.5,1.4,1e999',
  '5.1,3.5,1.4,inf',
  '5.1,3.5,1.4,null',
  '5.1,3.5,1.4,0.2\0',
  '=1+1,3.5,1.4,0.2',
  '٥,3.5,1.4,0.2',
].map(
  (body): HostileCase => ({
    name: `CSV ${shown(body)}`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { headers: { 'content-type': 'text/csv' }, body }),
  }),
);

const npy = (header: string, data: Buffer = Buffer.alloc(16), version = 1): Buffer => {
  const text = Buffer.from(`${header}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0]), length, text, data]);
};
const header = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

const numpy = (
  [
    ['nothing', Buffer.alloc(0)],
    ['its magic alone', Buffer.from([0x93, ...Buffer.from('NUMPY')])],
    ['another magic', npy(header("'<f4'", '(1, 4)')).fill('X', 1, 2)],
    ['version 9', npy(header("'<f4'", '(1, 4)'), Buffer.alloc(16), 9)],
    ['a header cut off', npy(header("'<f4'", '(1, 4)')).subarray(0, 30)],
    ['a header that is code', npy("__import__('os').system('id')")],
    ['a header without a shape', npy("{'descr': '<f4', 'fortran_order': False, }")],
    ['pickled objects', npy(header("'|O'", '(1, 4)'), Buffer.from('cos\nsystem\n(S"id"\ntR.'))],
    ['a structured type', npy(header("[('a', '<f4')]", '(4,)'))],
    ['an unknown type', npy(header("'<f9'", '(1, 4)'))],
    ['a shape beyond the data', npy(header("'<f4'", '(1000000, 4)'))],
    ['a shape beyond any memory', npy(header("'<f4'", '(999999999999, 4)'))],
    ['a negative shape', npy(header("'<f4'", '(-1, 4)'))],
    ['a shape of nothing', npy(header("'<f4'", '(0, 4)'), Buffer.alloc(0))],
    ['100 dimensions', npy(header("'<f4'", `(${'1, '.repeat(100)})`))],
    ['data cut off', npy(header("'<f4'", '(1, 4)'), Buffer.alloc(15))],
    ['data and a rest', npy(header("'<f4'", '(1, 4)'), Buffer.alloc(17))],
    ['strings of 999,999,999 characters', npy(header("'<U999999999'", '(1, 4)'))],
    ['a zip', Buffer.from('PK\x03\x04')],
  ] as const
).map(
  ([what, body]): HostileCase => ({
    name: `.npy: ${what}`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { headers: { 'content-type': 'application/x-npy' }, body }),
  }),
);

/** One stored member, as a zip has it; `claimed` is how long the directory says that it is. */
const zip = (name: string, content: Buffer, claimed = content.length, count = 1): Buffer => {
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt32LE(claimed, 14);
  common.writeUInt32LE(claimed, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), content]);
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\0'),
    common,
    Buffer.alloc(10),
    Buffer.alloc(4),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
};

const npz = (
  [
    ['nothing', Buffer.alloc(0)],
    ['two letters', Buffer.from('PK')],
    ['an .npy', npy(header("'<f4'", '(1, 4)'))],
    ['an end alone', zip('x', Buffer.alloc(0)).subarray(-22)],
    ['a member above its folder', zip('../../etc/passwd', Buffer.from('x'))],
    ['a member of 4 GB in a few bytes', zip('features.npy', Buffer.from('x'), 0xffff_fff0)],
    ['65,535 members that are not there', zip('features.npy', Buffer.from('x'), 1, 65_535)],
    ['a member with a wrong checksum', zip('features.npy', npy(header("'<f4'", '(1, 4)')))],
    ['a zip cut off', zip('features.npy', Buffer.from('x')).subarray(0, -5)],
    ['a zip and a rest', Buffer.concat([zip('features.npy', Buffer.from('x')), Buffer.from('rest')])],
  ] as const
).map(
  ([what, body]): HostileCase => ({
    name: `.npz: ${what}`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { headers: { 'content-type': 'application/x-npz' }, body }),
  }),
);

export const encodingCases: Area = {
  area: 'encodings',
  cases: [...notUtf8, ...json, ...jsonElsewhere, ...csv, ...numpy, ...npz],
};
