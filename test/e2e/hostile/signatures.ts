import {
  type Area,
  added,
  altered,
  amzDate,
  type HostileCase,
  invocations,
  PATH_MODEL,
  type Signing,
  signed,
  without,
} from './case.ts';
import type { Wire } from './wire.ts';

const MINUTE_MS = 60_000;
const AUTHORIZATION = 'authorization';
const ZEROES = '0'.repeat(64);

type Made = readonly [name: string, send: HostileCase['send']];

const refusedAs =
  (type: string) =>
  ([name, send]: Made): HostileCase => ({ name, send, speaker: 'sagemaker', status: 403, type });

const authorization = (wire: Wire, change: (value: string) => string): Wire =>
  altered(wire, AUTHORIZATION, change);

/** A good request, changed after it was signed. */
const changed: readonly Made[] = [
  ['another body', (ground) => ({ ...signed(ground), body: Buffer.from('[[9.9,3.5,1.4,0.2]]') })],
  ['a body with a space more', (ground) => signedThen(signed(ground), { body: '[[5.1,3.5,1.4,0.2]] ' })],
  ['no body', (ground) => signedThen(signed(ground), { body: '' })],
  ['a body with a byte that is no UTF-8', (ground) => signedThen(signed(ground), { body: '[[5.1\xff' })],
  ['another endpoint', (ground) => ({ ...signed(ground), target: '/endpoints/other/invocations' })],
  ['a query that was not there', (ground) => ({ ...signed(ground), target: `${invocations(ground)}?a=1` })],
  [
    'another query',
    (ground) => ({
      ...signed(ground, { target: `${invocations(ground)}?a=1` }),
      target: `${invocations(ground)}?a=2`,
    }),
  ],
  [
    'no query',
    (ground) => ({
      ...signed(ground, { target: `${invocations(ground)}?a=1` }),
      target: invocations(ground),
    }),
  ],
  ['another model', (ground) => change(signed(ground), 'x-amzn-sagemaker-target-model', 'tenant-7/b.tar.gz')],
  [
    'the model of another tenant',
    (ground) => change(signed(ground), 'x-amzn-sagemaker-target-model', 'tenant-8/iris.tar.gz'),
  ],
  ['another type', (ground) => change(signed(ground), 'content-type', 'text/csv')],
  ['another host', (ground) => change(signed(ground), 'host', 'evil.example')],
  ['the host without its port', (ground) => change(signed(ground), 'host', '127.0.0.1')],
  ['a minute later', (ground) => change(signed(ground), 'x-amz-date', amzDate(Date.now() + MINUTE_MS))],
  ['a signed header gone', (ground) => without(signed(ground), 'content-type')],
  [
    'the host gone from what is signed',
    (ground) => authorization(signed(ground), (text) => text.replace('host;', '')),
  ],
  [
    'a header more in what is signed',
    (ground) =>
      added(
        authorization(signed(ground), (text) => text.replace('host;', 'host;x-a;')),
        ['x-a', '1'],
      ),
  ],
  ['another region in its scope', (ground) => scope(ground, '/us-east-1/', '/eu-west-1/')],
  [
    'another day in its scope',
    (ground) => authorization(signed(ground), (text) => text.replace(/\/\d{8}\//, '/20200101/')),
  ],
  [
    'a day that is none in its scope',
    (ground) => authorization(signed(ground), (text) => text.replace(/\/\d{8}\//, '/99999999/')),
  ],
  ['execute-api in its scope', (ground) => scope(ground, '/sagemaker/', '/execute-api/')],
  [
    'another key in its scope',
    (ground) => scope(ground, ground.tenant.accessKeyId, ground.admin.accessKeyId),
  ],
  [
    'zeroes as its signature',
    (ground) => authorization(signed(ground), (text) => text.replace(/[0-9a-f]{64}$/, ZEROES)),
  ],
  [
    'its signature turned round',
    (ground) =>
      authorization(
        signed(ground),
        (text) => text.slice(0, -64) + [...text.slice(-64)].toReversed().join(''),
      ),
  ],
  ['x-amz-date twice', (ground) => added(signed(ground), ['x-amz-date', amzDate(0)])],
  [
    'the model twice',
    (ground) => added(signed(ground), ['x-amzn-sagemaker-target-model', 'tenant-8/iris.tar.gz']),
  ],
  ['its signature twice', (ground) => twice(signed(ground))],
  ['another signature behind it', (ground) => added(signed(ground), [AUTHORIZATION, 'Bearer guess'])],
  [
    'as a call of another door',
    (ground) => ({ ...signed(ground), target: `/predictions/${PATH_MODEL}`, method: 'POST' }),
  ],
];

const change = (wire: Wire, name: string, value: string): Wire => altered(wire, name, () => value);

const scope = (ground: Parameters<HostileCase['send']>[0], from: string, to: string): Wire =>
  authorization(signed(ground), (text) => text.replace(from, to));

const signedThen = (wire: Wire, { body }: { readonly body: string }): Wire => {
  const bytes = Buffer.from(body, 'latin1');
  return { ...change(wire, 'content-length', String(bytes.length)), body: bytes };
};

const twice = (wire: Wire): Wire => ({
  ...wire,
  headers: wire.headers.flatMap((header) => (header[0] === AUTHORIZATION ? [header, header] : [header])),
});

/** Signed as a whole, and for something or some time else. */
const misdirected: readonly Made[] = (
  [
    ['6 minutes ago', () => ({ atMs: Date.now() - 6 * MINUTE_MS })],
    ['6 minutes ahead', () => ({ atMs: Date.now() + 6 * MINUTE_MS })],
    ['a day ago', () => ({ atMs: Date.now() - 24 * 60 * MINUTE_MS })],
    ['a day ahead', () => ({ atMs: Date.now() + 24 * 60 * MINUTE_MS })],
    ['in 1970', () => ({ atMs: 0 })],
    ['in 2999', () => ({ atMs: Date.UTC(2999, 0) })],
    ['for execute-api', () => ({ service: 'execute-api' })],
    ['with a wrong secret', ({ tenant }) => ({ key: { ...tenant, secretAccessKey: 'x'.repeat(40) } })],
    ['with no secret', ({ tenant }) => ({ key: { ...tenant, secretAccessKey: '' } })],
    [
      'with its API key as the secret',
      ({ tenant }) => ({ key: { ...tenant, secretAccessKey: tenant.apiKey } }),
    ],
    [
      'with the secret of another key',
      ({ tenant, admin }) => ({ key: { ...tenant, secretAccessKey: admin.secretAccessKey } }),
    ],
    ['without its host', () => ({ unsigned: ['host'] })],
    ['without its date', () => ({ unsigned: ['x-amz-date'] })],
    ['without its model', () => ({ unsigned: ['x-amzn-sagemaker-target-model'] })],
    ['with a hash that is not that of its body', () => ({ headers: { 'x-amz-content-sha256': ZEROES } })],
    ['with an unsigned payload', () => ({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })],
    [
      'with a payload in chunks',
      () => ({ headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' } }),
    ],
  ] satisfies readonly (readonly [string, (ground: Parameters<HostileCase['send']>[0]) => Signing])[]
).map(([name, signing]) => [`signed ${name}`, (ground) => signed(ground, signing(ground))]);

/** Dates as text, signed as they are. */
const dates: readonly Made[] = [
  '',
  'now',
  '0',
  '20261123',
  '20261123T120000',
  '2026-11-23T12:00:00Z',
  '20261123T120000+0000',
  'Mon, 23 Nov 2026 12:00:00 GMT',
  '99999999T999999Z',
  '20261332T256161Z',
  '-0261123T120000Z',
].map((text) => [
  `signed with the date ${JSON.stringify(text)}`,
  (ground) => signed(ground, { headers: { 'x-amz-date': text } }),
]);

/** A second that a clock does not have, and that arithmetic takes for one within the window. */
const carriedOver: Made = [
  'signed with the date of 90 seconds past a minute',
  (ground) => {
    const minute = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
    return signed(ground, { headers: { 'x-amz-date': amzDate(minute).replace('00Z', '90Z') } });
  },
];

const dateless: readonly Made[] = [
  ['no date', (ground) => without(signed(ground), 'x-amz-date')],
  [
    'Date in the place of x-amz-date',
    (ground) => added(without(signed(ground), 'x-amz-date'), ['date', new Date().toUTCString()]),
  ],
];

const unsigned: readonly Made[] = [
  'x-amz-security-token',
  'x-amz-content-sha256',
  'x-amz-target',
  'x-amz-meta',
  'x-amzn-sagemaker-custom-attributes',
  'x-amzn-sagemaker-inference-id',
  'x-amzn-sagemaker-target-variant',
].map((name) => [`a ${name} that is not signed`, (ground) => added(signed(ground), [name, 'x'])]);

const SCOPE = 'Credential=MMEAAAAAAAAAAAAAAAAA/20261123/us-east-1/sagemaker/aws4_request';
const NAMES = 'SignedHeaders=host;x-amz-date';
const SIGNATURE = `Signature=${ZEROES}`;

/** Authorization headers that are none of Signature Version 4. */
const malformed: readonly Made[] = [
  '',
  'AWS4-HMAC-SHA256',
  'Basic YWRtaW46YWRtaW4=',
  'Bearer eyJhbGciOiJub25lIn0.e30.',
  'Negotiate x',
  'AWS MMEAAAAAAAAAAAAAAAAA:c2lnbmF0dXJl',
  'AWS3-HTTPS AWSAccessKeyId=x,Algorithm=HmacSHA256,Signature=x',
  `AWS4-ECDSA-P256-SHA256 ${SCOPE}, ${NAMES}, ${SIGNATURE}`,
  `AWS4-ECDSA-P256-SHA256 Credential=MMEAAAAAAAAAAAAAAAAA/20261123/sagemaker/aws4_request, ${NAMES};x-amz-region-set, ${SIGNATURE}`,
  `AWS4-HMAC-SHA1 ${SCOPE}, ${NAMES}, ${SIGNATURE}`,
  `aws4-hmac-sha256 ${SCOPE}, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, ${NAMES}`,
  `AWS4-HMAC-SHA256 ${SCOPE}; ${NAMES}; ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 ${NAMES}, ${SCOPE}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, ${SCOPE}, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, ${NAMES}, ${SIGNATURE}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256${' '.repeat(9000)}${SCOPE}, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, ${NAMES}, Signature=${'0'.repeat(63)}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, ${NAMES}, Signature=${'0'.repeat(65)}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, ${NAMES}, Signature=${'G'.repeat(64)}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, ${NAMES}, Signature=${'A'.repeat(64)}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, ${NAMES}, Signature=`,
  `AWS4-HMAC-SHA256 ${SCOPE}, SignedHeaders=, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, SignedHeaders=Host;X-Amz-Date, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 ${SCOPE}, SignedHeaders=${'a;'.repeat(3000)}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 Credential=, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 Credential=MMEAAAAAAAAAAAAAAAAA, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 Credential=MMEAAAAAAAAAAAAAAAAA/20261123/us-east-1/sagemaker, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 Credential=MMEAAAAAAAAAAAAAAAAA/20261123/us-east-1/sagemaker/aws5_request, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 Credential=MMEAAAAAAAAAAAAAAAAA/1123/us-east-1/sagemaker/aws4_request, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 Credential=MMEAAAAAAAAAAAAAAAAA/20261123//sagemaker/aws4_request, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 Credential=../../x/20261123/us-east-1/sagemaker/aws4_request, ${NAMES}, ${SIGNATURE}`,
  `AWS4-HMAC-SHA256 Credential=${'A'.repeat(5000)}/20261123/us-east-1/sagemaker/aws4_request, ${NAMES}, ${SIGNATURE}`,
].map((value) => [
  `Authorization ${JSON.stringify(value.length > 120 ? `${value.slice(0, 40)}...${value.slice(-80)} (${value.length})` : value)}`,
  (ground) => change(signed(ground), AUTHORIZATION, value),
]);

const REST = 'host;x-amz-date;x-amzn-sagemaker-target-model';

/** SignedHeaders of a known key that name what every object has, or what is no header. */
const signedNames: readonly Made[] = [
  `constructor;${REST}`,
  `__proto__;${REST}`,
  `hasownproperty;${REST}`,
  `host;${REST}`,
  `none;${REST}`,
  `;${REST}`,
  `${REST};`,
  'host',
  'x-amz-date',
  `authorization;${REST}`,
].map((names) => [
  `SignedHeaders=${names}`,
  (ground) =>
    authorization(signed(ground), (text) => text.replace(/SignedHeaders=[^,]*/, `SignedHeaders=${names}`)),
]);

const unknownKeys: readonly Made[] = [
  [
    'a key that never was',
    (ground) => signed(ground, { key: { accessKeyId: `MME${'A'.repeat(17)}`, secretAccessKey: 'x' } }),
  ],
  [
    "AWS's example",
    (ground) => signed(ground, { key: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' } }),
  ],
  [
    "the local cloud's own",
    (ground) => signed(ground, { key: { accessKeyId: 'local', secretAccessKey: 'local' } }),
  ],
  [
    'a key in small letters',
    (ground) =>
      signed(ground, { key: { ...ground.tenant, accessKeyId: ground.tenant.accessKeyId.toLowerCase() } }),
  ],
  [
    'half a key',
    (ground) =>
      signed(ground, { key: { ...ground.tenant, accessKeyId: ground.tenant.accessKeyId.slice(0, 10) } }),
  ],
  [
    'a key and a letter',
    (ground) => signed(ground, { key: { ...ground.tenant, accessKeyId: `${ground.tenant.accessKeyId}A` } }),
  ],
  ['a revoked key', (ground) => signed(ground, { key: ground.revoked })],
];

/** The signature in the query: a link that anybody may pass on, and not served. */
const presigned: readonly Made[] = [
  ['a presigned call', (ground) => withoutAuthorization(signed(ground, { isPresigned: true }))],
  [
    'a presigned call of the administrator',
    (ground) => withoutAuthorization(signed(ground, { isPresigned: true, key: ground.admin })),
  ],
  [
    'a signature of Version 4 in words of the query alone',
    (ground) => ({
      ...without(signed(ground), AUTHORIZATION),
      target: `${invocations(ground)}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=${ZEROES}`,
    }),
  ],
];

const withoutAuthorization = (wire: Wire): Wire => without(wire, AUTHORIZATION);

/** On AWS an address has one service; on this machine the scope says which one is meant. */
const elsewhere = ['bedrock', 'iam', 'SageMaker'].map(
  (service): HostileCase => ({
    name: `signed for ${service}`,
    speaker: 'sagemaker',
    status: 403,
    type: 'InvalidSignatureException',
    send: (ground) => signed(ground, { service }),
  }),
);

const foreign: readonly Made[] = [
  ['the model of another tenant', (ground) => signed(ground, { model: 'tenant-8/iris.tar.gz' })],
  ['a model of nobody in particular', (ground) => signed(ground, { model: 'diabetes-0001.tar.gz' })],
  [
    'a model that is not there, of another tenant',
    (ground) => signed(ground, { model: 'tenant-8/none.tar.gz' }),
  ],
];

export const signatureCases: Area = {
  area: 'signatures',
  cases: [
    ...changed.map(refusedAs('InvalidSignatureException')).map(afterSigning),
    ...[...misdirected, ...dates, carriedOver, ...dateless, ...unsigned, ...malformed, ...signedNames].map(
      refusedAs('InvalidSignatureException'),
    ),
    ...elsewhere,
    ...unknownKeys.map(refusedAs('UnrecognizedClientException')),
    ...presigned.map(refusedAs('MissingAuthenticationTokenException')),
    ...foreign.map(refusedAs('AccessDeniedException')),
  ],
};

function afterSigning(asked: HostileCase): HostileCase {
  const speaker = asked.name === 'as a call of another door' ? 'djl' : 'sagemaker';
  return { ...asked, speaker, name: `changed after it was signed: ${asked.name}` };
}
