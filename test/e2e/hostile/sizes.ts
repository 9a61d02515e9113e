import { type Area, bare, type HostileCase, infer, invocations, invoke, predict } from './case.ts';

const MIB = 1024 * 1024;

/** What Lambda takes as an event, as JSON. */
const EVENT_BYTES = 6_291_456;

type Made = readonly [name: string, status: number | readonly number[], send: HostileCase['send']];

const front = ([name, status, send]: Made): HostileCase => ({ name, speaker: 'front', status, send });

/** API Gateway's own bound, whoever asks: such a body is no event at all. */
const beyondTheFront: readonly HostileCase[] = (
  [
    ['10 MiB and a byte', 413, (ground) => invoke(ground, { body: Buffer.alloc(10 * MIB + 1, 49) })],
    [
      '10 MiB and a byte without a key',
      413,
      (ground) => bare(ground, { target: invocations(ground), body: Buffer.alloc(10 * MIB + 1) }),
    ],
    ['11 MiB of tensors', 413, (ground) => infer(ground, { body: Buffer.alloc(11 * MIB) })],
    [
      '11 MiB in chunks of a MiB',
      413,
      (ground) =>
        invoke(ground, {
          headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' },
          body: Buffer.concat([
            ...Array.from({ length: 11 }, () =>
              Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MIB, 49), Buffer.from('\r\n')]),
            ),
            Buffer.from('0\r\n\r\n'),
          ]),
        }),
    ],
    [
      '11 MiB to where nothing is',
      404,
      (ground) => bare(ground, { target: '/none', body: Buffer.alloc(11 * MIB) }),
    ],
  ] satisfies readonly Made[]
).map(front);

/** Lambda's: with AWS's limits its door says 413, without them the router says how many bytes there were. */
export const beyondAnEvent: readonly HostileCase[] = [
  ['a byte of text too many', Buffer.alloc(EVENT_BYTES + 1, 49), 'application/json'],
  ['text that doubles as JSON', Buffer.alloc(EVENT_BYTES / 2 + 1000, 34), 'text/csv'],
  ['text that is six times as long as JSON', Buffer.alloc(EVENT_BYTES / 6 + 1000, 1), 'application/json'],
  ['bytes that are too many as base64', Buffer.alloc((EVENT_BYTES / 4) * 3 + 1000), 'application/x-npy'],
  ['9 MiB of bytes', Buffer.alloc(9 * MIB), 'application/x-npz'],
].flatMap(([name, body, type]): readonly HostileCase[] => [
  {
    name: `${name as string} to SageMaker`,
    speaker: ['sagemaker', 'front'],
    status: [400, 413],
    send: (ground) => invoke(ground, { headers: { 'content-type': type as string }, body: body as Buffer }),
  },
  {
    name: `${name as string} to DJL`,
    speaker: ['djl', 'front'],
    status: [400, 413],
    send: (ground) => predict(ground, { headers: { 'content-type': type as string }, body: body as Buffer }),
  },
]);

/** What Lambda does take, and what is far more once it is read. */
const within: readonly HostileCase[] = (
  [
    ['6 MB of opening brackets', '['.repeat(6_000_000), 'application/json'],
    ['6 MB of nested objects', '{"a":'.repeat(600_000), 'application/json'],
    ['one row of two million numbers', `[[${'1,'.repeat(2_000_000)}1]]`, 'application/json'],
    ['a million empty rows', `[${'[],'.repeat(1_000_000)}[]]`, 'application/json'],
    ['a first row that promises a million', `[[${'1,'.repeat(1_000_000)}1],[],[],[]]`, 'application/json'],
    ['a number of a million digits', `[[${'9'.repeat(1_000_000)},1,1,1]]`, 'application/json'],
    ['a string of 5 MB', `[["${'9'.repeat(5_000_000)}",1,1,1]]`, 'application/json'],
    ['6 MB of spaces', ' '.repeat(6_000_000), 'application/json'],
    [
      '100,000 names',
      `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join()}}`,
      'application/json',
    ],
    ['3 million commas', ','.repeat(3_000_000), 'text/csv'],
    ['2 million lines', '1\n'.repeat(2_000_000), 'text/csv'],
    ['a quote that never ends', `"${'a'.repeat(4_000_000)}`, 'text/csv'],
  ] as const
).map(([name, body, type]) => ({
  name,
  speaker: 'sagemaker',
  status: 400,
  type: 'ValidationError',
  send: (ground) => invoke(ground, { headers: { 'content-type': type }, body }),
}));

const targets: readonly HostileCase[] = [
  {
    name: 'a path of 9,000 bytes',
    speaker: 'open-inference',
    status: 400,
    send: (ground) => infer(ground, { target: `/v2/models/${'a'.repeat(9000)}/infer` }),
  },
  {
    name: 'a path of 20,000 bytes',
    speaker: 'front',
    status: 431,
    send: (ground) => infer(ground, { target: `/v2/models/${'a'.repeat(20_000)}/infer` }),
  },
  {
    name: 'a path of 4,000 segments',
    speaker: 'front',
    status: 404,
    send: (ground) => infer(ground, { target: '/a'.repeat(4000) }),
  },
  {
    name: 'a query of 20,000 bytes',
    speaker: 'front',
    status: 431,
    send: (ground) => infer(ground, { target: `/v2/models/none/infer?${'a'.repeat(20_000)}` }),
  },
];

export const sizeCases: Area = {
  area: 'sizes',
  cases: [...beyondTheFront, ...beyondAnEvent, ...within, ...targets],
};
