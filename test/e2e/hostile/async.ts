import { type Area, BODY, type Headers, type HostileCase, keyed, MODEL, type Spec, without } from './case.ts';
import { utf8, type Wire } from './wire.ts';

const P = 'x-amzn-sagemaker-';
const BUCKET = 's3://lambda-mme-dev-models';

type Ground = Parameters<HostileCase['send']>[0];

/** InvokeEndpointAsync with the tenant's API key: good but for what is changed. */
const invokeAsync = (ground: Ground, spec: Spec): Wire =>
  keyed(ground, {
    target: `/endpoints/${ground.endpointName}/async-invocations`,
    body: BODY,
    ...spec,
    headers: { 'content-type': 'application/json', [`${P}target-model`]: MODEL, ...spec.headers },
  });

const HEADERS: readonly (readonly [what: string, headers: Headers, body?: string | Buffer])[] = [
  ['no model', { [`${P}target-model`]: undefined }],
  [
    'an empty model in its attributes',
    { [`${P}target-model`]: undefined, [`${P}custom-attributes`]: 'target-model=' },
  ],
  [
    'dots in its attributes',
    { [`${P}target-model`]: undefined, [`${P}custom-attributes`]: 'target-model=../x.tar.gz' },
  ],
  ['dots in its model', { [`${P}target-model`]: 'tenant-7/../tenant-8/iris.tar.gz' }],
  ['no input', {}, ''],
  ['an input too large', {}, Buffer.alloc(128_003, 49)],
  ['two inputs', { [`${P}inputlocation`]: `${BUCKET}/async/x` }],
  ...[
    '',
    'x',
    '/etc/passwd',
    'file:///etc/passwd',
    'http://169.254.169.254/latest/meta-data',
    `${BUCKET}`,
    `${BUCKET}/`,
    `${BUCKET}/models/tenant-8/iris.tar.gz`,
    `${BUCKET}/async`,
    `${BUCKET}/async/../models/tenant-8/iris.tar.gz`,
    `${BUCKET}/async/./x`,
    `${BUCKET}/Async/x`,
    `${BUCKET}//async/x`,
    's3://somebody-else/async/x',
    's3:///async/x',
    'S3://lambda-mme-dev-models/async/x',
    `${BUCKET}@evil/async/x`,
    `${BUCKET}/async/${'a'.repeat(1024)}`,
    utf8(`${BUCKET}/async/\u0085`),
  ].map(
    (location) =>
      [`InputLocation ${location.slice(0, 70)}`, { [`${P}inputlocation`]: location }, ''] as const,
  ),
  ...['', '../x', 'a/b', '..\\x', 'a b', 'a'.repeat(33), utf8('ünï'), 'x%2f..'].map(
    (name) => [`Filename ${name.slice(0, 40)}`, { [`${P}filename`]: name }] as const,
  ),
  ...['..', '../models', 'a/../../models', './', 'a'.repeat(2000)].map(
    (name) =>
      [`S3OutputPathExtension ${name.slice(0, 40)}`, { [`${P}s3outputpathextension`]: name }] as const,
  ),
  ...['', '59', '21601', '-60', '60.5', '0x3c', '6e1', '+60', '60s', 'NaN', '1e999'].map(
    (text) => [`RequestTTLSeconds ${text}`, { [`${P}requestttlseconds`]: text }] as const,
  ),
  ...['', '0', '3601', '-1', '0x3c', '6e1', 'true'].map(
    (text) => [`InvocationTimeoutSeconds ${text}`, { [`${P}invocationtimeoutseconds`]: text }] as const,
  ),
  ['an InferenceId of 65 characters', { [`${P}inference-id`]: 'a'.repeat(65) }],
  ['an InferenceId of UTF-8', { [`${P}inference-id`]: utf8('ü') }],
];

const refused = HEADERS.map(
  ([what, headers, body]): HostileCase => ({
    name: what,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invokeAsync(ground, { headers, ...(body === undefined ? {} : { body }) }),
  }),
);

const forbidden: readonly HostileCase[] = [
  {
    name: 'the model of another tenant',
    speaker: 'sagemaker',
    status: 403,
    type: 'AccessDeniedException',
    send: (ground) => invokeAsync(ground, { headers: { [`${P}target-model`]: 'tenant-8/iris.tar.gz' } }),
  },
  {
    name: 'the model of another tenant in its attributes',
    speaker: 'sagemaker',
    status: 403,
    type: 'AccessDeniedException',
    send: (ground) =>
      invokeAsync(ground, {
        headers: {
          [`${P}target-model`]: undefined,
          [`${P}custom-attributes`]: 'target-model=tenant-8/iris.tar.gz',
        },
      }),
  },
  {
    name: 'no key',
    speaker: 'sagemaker',
    status: 403,
    type: 'MissingAuthenticationTokenException',
    send: (ground) => without(invokeAsync(ground, {}), 'x-api-key'),
  },
];

export const asyncCases: Area = { area: 'asynchronous calls', cases: [...refused, ...forbidden] };
