import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import {
  type Area,
  added,
  BODY,
  bare,
  type Ground,
  type Headers,
  type HostileCase,
  infer,
  invocations,
  invoke,
  MODEL,
  predict,
  without,
} from './case.ts';
import { toBytes, utf8, type Wire } from './wire.ts';

const TARGET = 'x-amzn-sagemaker-target-model';

/** The head of a good request, with lines of its own in the place of one. */
const spliced = (name: string, line: string): HostileCase['send'] => {
  return (ground) => {
    const text = toBytes(invoke(ground)).toString('latin1');
    return Buffer.from(
      text.replace(new RegExp(`^${name}: .*\r\n`, 'm'), () => line),
      'latin1',
    );
  };
};

const malformed = (
  [
    ['no host', spliced('host', '')],
    ['a name without a colon', spliced('content-type', 'content-type\r\n')],
    ['a space before the colon', spliced('content-type', 'content-type : application/json\r\n')],
    ['a tab before the colon', spliced('content-type', 'content-type\t: application/json\r\n')],
    ['no name', spliced('content-type', ': application/json\r\n')],
    ['a name in parentheses', spliced('content-type', '(content-type): application/json\r\n')],
    ['a name of UTF-8', spliced('content-type', `${utf8('cöntent-type')}: application/json\r\n`)],
    ['a NUL in a name', spliced('content-type', 'content\0-type: application/json\r\n')],
    ['a value folded over two lines', spliced(TARGET, `${TARGET}: tenant-7/\r\n iris.tar.gz\r\n`)],
    ['a first line that is folded', spliced('host', ' host: x\r\n')],
    ['a bare CR in a value', spliced(TARGET, `${TARGET}: tenant-7/iris\r.tar.gz\r\n`)],
    ['a bare LF that begins a header', spliced(TARGET, `${TARGET}: a\nx-api-key: b\r\n`)],
    ['two names of the body', spliced('content-length', `content-length: 3\r\ncontent-length: 4\r\n`)],
  ] as const
).map(([name, send]): HostileCase => ({ name, send, speaker: 'parser', status: 400 }));

const controlled = [0x00, 0x01, 0x08, 0x0b, 0x0c, 0x1b, 0x7f].flatMap((code): readonly HostileCase[] => {
  const text = `tenant-7/${String.fromCharCode(code)}iris.tar.gz`;
  return [TARGET, 'x-api-key', 'authorization'].map((name) => ({
    name: `control character ${code} in ${name}`,
    speaker: 'parser',
    status: 400,
    send: (ground) => invoke(ground, { headers: { [name]: text } }),
  }));
});

const lengths: readonly HostileCase[] = [
  '-1',
  '+19',
  '0x13',
  '1e1',
  '19.0',
  '19 19',
  '19, 19',
  '19,20',
  'nineteen',
  '18446744073709551616',
  '',
].map((value) => ({
  name: `Content-Length ${JSON.stringify(value)}`,
  speaker: 'parser',
  status: 400,
  send: (ground) => invoke(ground, { headers: { 'content-length': value } }),
}));

/** What is left over is no request: its end comes faster than an answer to its beginning. */
const lyingLengths: readonly HostileCase[] = [
  {
    name: 'Content-Length shorter than the body, which ends in the middle of a row',
    speaker: 'parser',
    status: 400,
    send: (ground) => invoke(ground, { headers: { 'content-length': '7' } }),
  },
  {
    name: 'Content-Length longer than the body, and no more comes',
    speaker: 'parser',
    status: 400,
    isHalfClosed: true,
    send: (ground) => invoke(ground, { headers: { 'content-length': '1900' } }),
  },
  {
    name: 'Content-Length of 0 before a body',
    speaker: 'parser',
    status: 400,
    send: (ground) => invoke(ground, { headers: { 'content-length': '0' } }),
  },
  {
    name: 'no Content-Length and no Transfer-Encoding before a body',
    speaker: 'parser',
    status: 400,
    send: (ground) => without(invoke(ground), 'content-length'),
  },
];

const CHUNKED = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;

const transfers = (
  [
    ['chunked', CHUNKED, { 'content-length': '19' }, 'with a Content-Length'],
    ['chunked', CHUNKED, { 'content-length': '0' }, 'with a Content-Length of 0'],
    ['identity', BODY, { 'content-length': '19' }],
    ['xchunked', CHUNKED],
    ['chunked, identity', CHUNKED],
    ['chunked, gzip', CHUNKED],
    ['chunked\x0b', CHUNKED],
    ['"chunked"', CHUNKED],
    ['chunked', `zz\r\n${BODY}\r\n0\r\n\r\n`, {}, 'with a size that is no number'],
    ['chunked', `-13\r\n${BODY}\r\n0\r\n\r\n`, {}, 'with a negative size'],
    ['chunked', `0x13\r\n${BODY}\r\n0\r\n\r\n`, {}, 'with a size of 0x13'],
    ['chunked', `FFFFFFFFFFFFFFFFF\r\n${BODY}\r\n0\r\n\r\n`, {}, 'with a size beyond 64 bits'],
    ['chunked', `5\r\n${BODY}\r\n0\r\n\r\n`, {}, 'with a chunk longer than its size'],
    ['chunked', `13\n${BODY}\n0\n\n`, {}, 'with bare LFs'],
    ['chunked', `13;a\rb\r\n${BODY}\r\n0\r\n\r\n`, {}, 'with a CR in an extension'],
    ['chunked', `13;${'a'.repeat(20_000)}\r\n${BODY}\r\n0\r\n\r\n`, {}, 'with an extension of 20,000 bytes'],
    ['chunked', `13\r\n${BODY}\r\n0\r\nx(y: z\r\n\r\n`, {}, 'with a trailer that is no header'],
  ] as const
).map(
  ([value, body, headers = {}, how = '']): HostileCase => ({
    name: `Transfer-Encoding ${JSON.stringify(value)} ${how}`,
    speaker: 'parser',
    status: [400, 413],
    send: (ground) =>
      invoke(ground, {
        headers: { 'content-length': undefined, 'transfer-encoding': value, ...headers },
        body,
      }),
  }),
);

const brokenOff = (
  [
    ['in the middle of a chunk', '13\r\n[[5.1'],
    ['before the last chunk', `13\r\n${BODY}\r\n`],
    ['in the middle of a size', '1'],
  ] as const
).map(
  ([where, body]): HostileCase => ({
    name: `breaks off ${where}`,
    speaker: 'parser',
    status: 400,
    isHalfClosed: true,
    send: (ground) =>
      invoke(ground, { headers: { 'content-length': undefined, 'transfer-encoding': 'chunked' }, body }),
  }),
);

const encoded = (
  [
    ['gzip', gzipSync(BODY)],
    ['deflate', deflateSync(BODY)],
    ['br', brotliCompressSync(BODY)],
    ['zstd', zstdCompressSync(BODY)],
    ['gzip', gzipSync(BODY).subarray(0, 12)],
    ['gzip, gzip', gzipSync(gzipSync(BODY))],
  ] as const
).flatMap(([encoding, body], index): readonly HostileCase[] => [
  {
    name: `Content-Encoding ${encoding} (${index}), which is not served`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { headers: { 'content-encoding': encoding }, body }),
  },
  {
    name: `Content-Encoding ${encoding} (${index}) of tensors`,
    speaker: 'open-inference',
    status: 400,
    type: 'ValidationError',
    send: (ground) => infer(ground, { headers: { 'content-encoding': encoding }, body }),
  },
]);

const twice = (
  [
    [TARGET, MODEL, 403, 'AccessDeniedException'],
    ['x-api-key', 'guess', 403, 'UnrecognizedClientException'],
    ['accept', 'image/png', 400, 'ValidationError'],
    ['content-type', 'text/csv', 400, 'ValidationError'],
    ['x-amzn-sagemaker-target-variant', 'AllTraffic', 400, 'ValidationError'],
  ] as const
).flatMap(([name, value, status, type]): readonly HostileCase[] => [
  {
    name: `${name} twice`,
    speaker: 'sagemaker',
    status,
    type,
    send: (ground) => added(firstOf(name, ground), [name, value]),
  },
]);

/** A good call of the header that comes again. */
function firstOf(name: string, ground: Ground): Wire {
  const first: Headers = {
    [TARGET]: 'tenant-8/iris.tar.gz',
    'x-amzn-sagemaker-target-variant': 'AllTraffic',
    accept: 'text/html',
  };
  return invoke(ground, { headers: first[name] === undefined ? {} : { [name]: first[name] } });
}

const overlong: readonly HostileCase[] = [
  { name: 'a header of 11,000 bytes', more: [['x-a', 'a'.repeat(11_000)]] as const, status: 431 },
  { name: 'a header of 20,000 bytes', more: [['x-a', 'a'.repeat(20_000)]] as const, status: 431 },
  { name: 'a name of 11,000 bytes', more: [['a'.repeat(11_000), 'a']] as const, status: 431 },
  {
    name: '400 headers, together too long',
    more: Array.from({ length: 400 }, (_, index) => [`x-meta-${index}`, 'a'.repeat(30)] as const),
    status: 431,
  },
  {
    name: '3,000 headers without values',
    more: Array.from({ length: 3000 }, () => ['a', ''] as const),
    status: 431,
  },
].map(({ name, more, status }) => ({
  name,
  status,
  speaker: ['front', 'parser'],
  send: (ground) => invoke(ground, { more }),
}));

const types = [
  'text/plain',
  'text/html',
  'application/xml',
  'application/octet-stream',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonlines',
  'application/x-recordio-protobuf',
  'application/x-python-pickle',
  'json',
  'application/json, text/csv',
  'application/json\t, text/csv',
  '../../application/json',
  '*/*',
  `application/${'x'.repeat(5000)}`,
  utf8('application/jsоn'),
].flatMap((type): readonly HostileCase[] => [
  {
    name: `Content-Type ${type.slice(0, 40)} to SageMaker`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { headers: { 'content-type': type } }),
  },
  {
    name: `Content-Type ${type.slice(0, 40)} to DJL`,
    speaker: 'djl',
    status: 400,
    type: 'ValidationError',
    send: (ground) => predict(ground, { headers: { 'content-type': type } }),
  },
]);

const accepts: readonly HostileCase[] = [
  'text/html',
  'image/*',
  'application/json;q=0',
  'application/json; q=0.0, text/html',
  '*/*;q=0',
  'json',
  ';;;',
  ',,,',
  'x'.repeat(5000),
  utf8('application/jsоn'),
].map((accept) => ({
  name: `Accept ${accept.slice(0, 40)}`,
  speaker: 'sagemaker',
  status: 400,
  type: 'ValidationError',
  send: (ground) => invoke(ground, { headers: { accept } }),
}));

const unserved = (
  [
    ['x-amzn-sagemaker-target-container-hostname', 'second'],
    ['x-amzn-sagemaker-inference-component', 'part'],
    ['x-amzn-sagemaker-enable-explanations', '`true`'],
    ['x-amzn-sagemaker-session-id', 'NEW_SESSION'],
    ['x-amzn-sagemaker-target-variant', 'Other'],
    ['x-amzn-sagemaker-target-variant', ''],
    ['x-amzn-sagemaker-custom-attributes', 'a'.repeat(1025)],
    ['x-amzn-sagemaker-custom-attributes', utf8('ünï')],
    ['x-amzn-sagemaker-custom-attributes', '\xff\xfe'],
    ['x-amzn-sagemaker-custom-attributes', 'a\tb'],
    ['x-amzn-sagemaker-custom-attributes', ''],
    ['x-amzn-sagemaker-inference-id', 'a'.repeat(65)],
    ['x-amzn-sagemaker-inference-id', utf8('…')],
    ['x-amzn-sagemaker-inference-id', ''],
  ] as const
).map(
  ([name, value]): HostileCase => ({
    name: `${name}: ${JSON.stringify(value.slice(0, 30))}`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { headers: { [name]: value } }),
  }),
);

/** Who comes as somebody whom a proxy has let in comes without a key. */
const claimed = (
  [
    ['x-forwarded-user', 'admin'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-amzn-oidc-identity', 'admin'],
    ['x-amzn-iam-user-arn', 'arn:aws:iam::000000000000:root'],
    ['cookie', 'session=admin'],
    ['proxy-authorization', 'Basic YWRtaW46YWRtaW4='],
    ['x-original-url', '/ping'],
    ['x-rewrite-url', '/ping'],
  ] as const
).map(
  ([name, value]): HostileCase => ({
    name: `no key, but ${name}`,
    speaker: 'sagemaker',
    status: 403,
    type: 'MissingAuthenticationTokenException',
    send: (ground) => invoke(ground, { headers: { 'x-api-key': undefined, [name]: value } }),
  }),
);

const others: readonly HostileCase[] = [
  ...['HTTP/0.9', 'HTTP/2.0'].map(
    (version): HostileCase => ({
      name: `the protocol ${version}, which Node's parser takes`,
      speaker: 'front',
      status: 400,
      send: (ground) => ({ ...invoke(ground), version }),
    }),
  ),
  {
    name: 'two hosts',
    speaker: 'front',
    status: 400,
    send: (ground) => added(invoke(ground), ['host', 'evil.example']),
  },
  {
    name: 'the same host twice',
    speaker: 'front',
    status: 400,
    send: (ground) => added(invoke(ground), ['host', ground.host]),
  },
  {
    name: 'the model of another tenant behind its own',
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => added(invoke(ground), [TARGET, 'tenant-8/iris.tar.gz']),
  },
  {
    name: 'Expect of something else than 100-continue',
    speaker: 'parser',
    status: 417,
    send: (ground) => invoke(ground, { headers: { expect: 'a-miracle' } }),
  },
  {
    name: 'no TargetModel',
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { headers: { [TARGET]: undefined } }),
  },
  {
    name: 'no header at all but the host',
    speaker: 'sagemaker',
    status: 403,
    type: 'MissingAuthenticationTokenException',
    send: (ground) => bare(ground, { target: invocations(ground) }),
  },
  {
    name: 'HTTP/1.0 without a key',
    speaker: 'sagemaker',
    status: 403,
    send: (ground) => ({ ...bare(ground, { target: invocations(ground) }), version: 'HTTP/1.0' }),
  },
  ...['HTTP/1.2', 'HTTP/9.9', 'HTTP/2', 'http/1.1', 'FTP/1.1', ''].map(
    (version): HostileCase => ({
      name: `the protocol ${JSON.stringify(version)}`,
      speaker: 'parser',
      status: 400,
      send: (ground) => ({ ...invoke(ground), version }),
    }),
  ),
  {
    name: 'the preface of HTTP/2',
    speaker: 'parser',
    status: 400,
    send: () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  },
  {
    name: 'a TLS hello',
    speaker: 'parser',
    status: 400,
    send: () => Buffer.from('16030100c8010000c40303', 'hex'),
  },
  {
    name: 'lines of noise',
    speaker: 'parser',
    status: 400,
    send: () => Buffer.from('\xff\xfe\0\r\n\r\n', 'latin1'),
  },
  {
    name: 'hop-by-hop naming of the key, behind another key',
    speaker: 'sagemaker',
    status: 403,
    send: (ground) =>
      added(invoke(ground, { headers: { 'x-api-key': 'guess' } }), ['connection', 'x-api-key']),
  },
];

export const headerCases: Area = {
  area: 'headers',
  cases: [
    ...malformed,
    ...controlled,
    ...lengths,
    ...lyingLengths,
    ...transfers,
    ...brokenOff,
    ...encoded,
    ...twice,
    ...overlong,
    ...types,
    ...accepts,
    ...unserved,
    ...claimed,
    ...others,
  ],
};
