import { type Area, BODY, bare, type HostileCase, invocations, invoke, keyed, PATH_MODEL } from './case.ts';
import { utf8 } from './wire.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** The doors that have a model in their path. */
const DOORS = [
  ['infer', 'open-inference', 'POST', (name: string) => `/v2/models/${name}/infer`],
  ['metadata', 'open-inference', 'GET', (name: string) => `/v2/models/${name}`],
  ['predictions', 'djl', 'POST', (name: string) => `/predictions/${name}`],
  ['management', 'management', 'GET', (name: string) => `/models/${name}`],
] as const;

/** Names that are none in any of them. */
const NO_NAMES = [
  ['dots', '..~1tenant-7~1iris'],
  ['dots further down', 'tenant-7~1..~1tenant-8~1iris'],
  ['dots, escaped', '%2e%2e~1tenant-7~1iris'],
  ['everything escaped', '%2e%2e%7e1%65tc%7e1passwd'],
  ['an absolute path', '~1etc~1passwd'],
  ['a NUL', 'tenant-7~1iris%00'],
  ['a NUL before an ending', 'tenant-7~1iris%00.tar.gz'],
  ['a line end', 'tenant-7~1iris%0d%0ax-evil:%201'],
  ['a line separator', 'tenant-7~1iris%e2%80%a8'],
  ['white space before', '%20tenant-7~1iris'],
  ['a tilde that means nothing', 'tenant-7~2iris'],
  ['a tilde at the end', 'tenant-7~1iris~'],
  ['a lone tilde', '~'],
  ['2,000 characters', `tenant-7~1${'a'.repeat(2000)}`],
] as const;

const noNames = DOORS.flatMap(([door, speaker, method, target]) =>
  NO_NAMES.map(
    ([what, name]): HostileCase => ({
      name: `${what} in a path of ${door}`,
      speaker,
      status: 400,
      type: 'ValidationError',
      send: (ground) =>
        keyed(ground, { method, target: target(name), headers: JSON_TYPE, body: bodyOf(method) }),
    }),
  ),
);

const bodyOf = (method: string): string => (method === 'GET' ? '' : BODY);

/** Names that may be models of somebody, and not of this caller. */
const OTHERS = [
  ['the model of another tenant', 'tenant-8~1iris'],
  ['the same with its ending', 'tenant-8~1iris.tar.gz'],
  ['the same with its tilde escaped', 'tenant-8%7E1iris'],
  ['the same, escaped twice', 'tenant-8%257E1iris'],
  ['an unknown model', 'none'],
  ['this tenant in capitals', 'TENANT-7~1iris'],
  ['this tenant behind a dot', '.~1tenant-7~1iris'],
  ['this tenant in look-alikes', encodeURIComponent('tеnant-7~1iris')],
  ['dots, escaped twice', '%252e%252e~1tenant-8~1iris'],
  ['a slash of full width', '%ef%bc%8e%ef%bc%8e%ef%bc%8ftenant-8'],
  ['a backslash', '..%5ctenant-8%5ciris'],
] as const;

const others = DOORS.filter(([door]) => door !== 'management').flatMap(([door, speaker, method, target]) =>
  OTHERS.map(
    ([what, name]): HostileCase => ({
      name: `${what} in a path of ${door}`,
      speaker,
      status: 403,
      type: 'AccessDeniedException',
      send: (ground) =>
        keyed(ground, { method, target: target(name), headers: JSON_TYPE, body: bodyOf(method) }),
    }),
  ),
);

/** Escapes that are none, and slashes that the front door decodes before it looks for a route. */
const UNROUTED = [
  ['half an escape', '%'],
  ['an escape of one digit', 'a%2'],
  ['an escape of other letters', 'a%zz'],
  ['half a character', 'a%e2%82'],
  ['a surrogate', 'a%ed%a0%80'],
  ['an escaped slash', 'tenant-7%2Firis'],
  ['an escaped slash of another tenant', 'tenant-8%2firis'],
  ['escaped slashes and dots', '..%2f..%2fetc%2fpasswd'],
  ['slashes and dots', '../../etc/passwd'],
  ['nothing', ''],
] as const;

const unrouted = DOORS.filter(([door]) => door !== 'metadata').flatMap(([door, , method, target]) =>
  UNROUTED.map(
    ([what, name]): HostileCase => ({
      name: `${what} in a path of ${door}`,
      speaker: 'front',
      status: 404,
      send: (ground) =>
        keyed(ground, { method, target: target(name), headers: JSON_TYPE, body: bodyOf(method) }),
    }),
  ),
);

const routes = (
  [
    ['GET', ''],
    ['GET', '/none'],
    ['GET', '//ping'],
    ['GET', '/ping/'],
    ['GET', '/PING'],
    ['GET', '/ping%00'],
    ['GET', '/ping#top'],
    ['GET', '/./ping'],
    ['GET', '/../ping'],
    ['GET', '/%2e%2e/ping'],
    ['GET', '/v2/'],
    ['GET', '/v2/models'],
    ['GET', '/v2/models/'],
    ['GET', '/v2/health'],
    ['GET', `/v2/models/${PATH_MODEL}/config`],
    ['GET', `/v2/models/${PATH_MODEL}/stats`],
    ['POST', '/v2/repository/index'],
    ['POST', `/v2/repository/models/${PATH_MODEL}/load`],
    ['GET', '/v2/systemsharedmemory/status'],
    ['GET', '/v1/models/x'],
    ['GET', '/metrics'],
    ['GET', '/favicon.ico'],
    ['GET', '/.env'],
    ['GET', '/.git/config'],
    ['GET', '/.local/key.json'],
    ['GET', '/latest/meta-data/iam/security-credentials/'],
    ['GET', '/2018-06-01/runtime/invocation/next'],
    ['POST', '/2015-03-31/functions/lambda-mme-dev-router/invocations'],
    ['GET', '/2015-03-31/functions/'],
    ['GET', '/lambda-mme-dev-models/models/tenant-8/iris.tar.gz'],
    ['GET', '/lambda-mme-dev-models?list-type=2'],
    ['GET', '/000000000000/queue'],
    ['GET', 'http://127.0.0.1/ping'],
    ['GET', 'http://169.254.169.254/latest/meta-data/'],
    ['GET', 'file:///etc/passwd'],
    ['OPTIONS', '*'],
    ['GET', '/endpoints/lambda-mme-dev'],
    ['POST', '/endpoints'],
    ['POST', '/endpoints/lambda-mme-dev/invocations/'],
    ['POST', '/endpoints/lambda-mme-dev/invocations-response-stream'],
  ] as const
).map(
  ([method, target]): HostileCase => ({
    name: `${method} ${target}`,
    speaker: target === '' || target.startsWith('file') ? ['parser', 'front'] : 'front',
    status: target === '' ? 400 : [404, 400],
    send: (ground) => keyed(ground, { method, target, headers: JSON_TYPE }),
  }),
);

const methods = [
  'GET',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'PURGE',
  'QUERY',
].map(
  (method): HostileCase => ({
    name: `${method} of invocations`,
    speaker: 'front',
    status: 404,
    send: (ground) => invoke(ground, { method }),
  }),
);

const noMethods = ['post', 'FOO', 'POST\t', 'PO ST', '', 'POST\0', utf8('PÖST')].map(
  (method): HostileCase => ({
    name: `the method ${JSON.stringify(method)}`,
    speaker: 'parser',
    status: 400,
    send: (ground) => invoke(ground, { method }),
  }),
);

const tunnels: readonly HostileCase[] = [
  {
    name: 'CONNECT, to be a proxy',
    speaker: 'parser',
    status: 400,
    send: (ground) => bare(ground, { method: 'CONNECT', target: '169.254.169.254:80' }),
  },
  {
    name: 'a method in a header',
    speaker: 'front',
    status: 404,
    send: (ground) => invoke(ground, { target: '/ping', headers: { 'x-http-method-override': 'GET' } }),
  },
];

const spaces = (
  [
    ['a space', '/v2/models/a b/infer'],
    ['a tab', '/v2/models/a\tb/infer'],
    ['a NUL', '/v2/models/a\0b/infer'],
    ['a CR', '/v2/models/a\rb/infer'],
    ['a letter of UTF-8', utf8('/v2/models/ünï/infer')],
  ] as const
).map(
  ([what, target]): HostileCase => ({
    name: `${what} as it is in a path`,
    speaker: 'parser',
    status: 400,
    send: (ground) => keyed(ground, { target }),
  }),
);

const endpointNames = [
  'none',
  'lambda-mme-prod',
  'LAMBDA-MME-DEV',
  'lambda-mme-dev%20',
  '%20lambda-mme-dev',
  'lambda-mme-dev%00',
  'lambda-mme-dev%0a',
  'lambda-mme-dev%3f',
  'lambda-mme-dev,other',
  '-lambda',
  'lambda-',
  'lambda_mme_dev',
  '..',
  '%2e%2e',
  '*',
  '%25',
  '__proto__',
  'constructor',
  'a'.repeat(64),
  'a'.repeat(5000),
  encodeURIComponent('lambda-mmе-dev'),
  '%d0%b5ndpoint',
  'arn:aws:sagemaker:us-east-1:000000000000:endpoint',
].map(
  (name): HostileCase => ({
    name: `the endpoint ${name.slice(0, 60)} (${name.length})`,
    speaker: 'sagemaker',
    status: 400,
    type: 'ValidationError',
    send: (ground) => invoke(ground, { target: `/endpoints/${name}/invocations` }),
  }),
);

/** The management API and SageMaker's control plane, for a key that may only call. */
const managed = (
  [
    ['GET', '/models', ''],
    ['GET', `/models/${PATH_MODEL}`, ''],
    ['GET', '/models/tenant-8~1iris', ''],
    ['POST', '/models', '{"model_name":"tenant-7/copy.tar.gz","url":"tenant-8/iris.tar.gz"}'],
    ['PUT', `/models/${PATH_MODEL}`, '{"min_workers":1000}'],
    ['DELETE', `/models/${PATH_MODEL}`, ''],
    ['DELETE', '/models/tenant-8~1iris', ''],
    ['POST', `/models/${PATH_MODEL}/preload`, ''],
    ['POST', `/models/${PATH_MODEL}/rollback`, ''],
  ] as const
).flatMap(([method, target, body]): readonly HostileCase[] => [
  {
    name: `${method} ${target} with a key that may only call`,
    speaker: 'management',
    status: 403,
    type: 'AccessDeniedException',
    send: (ground) => keyed(ground, { method, target, headers: JSON_TYPE, body }),
  },
  {
    name: `${method} ${target} without a key`,
    speaker: 'management',
    status: 403,
    type: 'MissingAuthenticationTokenException',
    send: (ground) => bare(ground, { method, target, headers: JSON_TYPE, body }),
  },
]);

const controlled = (
  [
    ['SageMaker.DeleteEndpoint', 'AccessDeniedException', [400, 403]],
    ['SageMaker.CreateEndpoint', 'AccessDeniedException', [400, 403]],
    ['SageMaker.constructor', 'UnknownOperationException', 400],
    ['SageMaker.__proto__', 'UnknownOperationException', 400],
    ['SageMaker.', 'UnknownOperationException', 400],
    ['DynamoDB_20120810.Scan', 'UnknownOperationException', 400],
    ['', 'UnknownOperationException', 400],
  ] as const
).map(
  ([operation, type, status]): HostileCase => ({
    name: `the control plane's ${operation}`,
    speaker: 'control',
    status,
    type,
    send: (ground) =>
      keyed(ground, {
        target: '/',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': operation },
        body: JSON.stringify({ EndpointName: ground.endpointName }),
      }),
  }),
);

const queried = ['?', '?a=1', '?__proto__=1', '?%zz', '?x-api-key=guess', '?X-Amz-Signature=0'].map(
  (query): HostileCase => ({
    name: `no key, and the query ${query}`,
    speaker: 'sagemaker',
    status: 403,
    type: 'MissingAuthenticationTokenException',
    send: (ground) =>
      invoke(ground, { target: invocations(ground) + query, headers: { 'x-api-key': undefined } }),
  }),
);

export const pathCases: Area = {
  area: 'paths',
  cases: [
    ...noNames,
    ...others,
    ...unrouted,
    ...routes,
    ...methods,
    ...noMethods,
    ...tunnels,
    ...spaces,
    ...endpointNames,
    ...managed,
    ...controlled,
    ...queried,
  ],
};
