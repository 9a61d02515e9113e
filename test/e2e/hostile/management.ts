import { type Area, type Ground, type HostileCase, keyed, type Spec } from './case.ts';
import type { Wire } from './wire.ts';

type Who = 'manager' | 'admin';

const by = (ground: Ground, who: Who, spec: Spec): Wire =>
  keyed(ground, {
    ...spec,
    headers: { 'content-type': 'application/json', ...spec.headers, 'x-api-key': ground[who].apiKey },
  });

type Asked = readonly [method: string, target: string, body?: unknown];

const textOf = (body: unknown): string =>
  body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);

const cases = (
  who: Who,
  status: number | readonly number[],
  type: string | undefined,
  asked: readonly Asked[],
) =>
  asked.map(([method, target, body]): HostileCase => {
    const text = textOf(body);
    return {
      name: `${method} ${target.slice(0, 60)} ${text.slice(0, 100)} (${target.length + text.length}) by the ${who}`,
      speaker: 'management',
      status,
      ...(type === undefined ? {} : { type }),
      send: (ground) => by(ground, who, { method, target, body: text }),
    };
  });

const OWN = '/models/tenant-7~1iris';
const BUCKET = 's3://lambda-mme-dev-models';

/** Of somebody who manages `tenant-7/*`. */
const foreign = cases('manager', 403, 'AccessDeniedException', [
  ['GET', '/models/tenant-8~1iris'],
  ['GET', '/models/diabetes-0001'],
  ['POST', '/models', { model_name: '' }],
  ['POST', '/models', { model_name: 'tenant-7/c.tar.gz', url: 'http://169.254.169.254/x.tar.gz' }],
  ['GET', '/models/tenant-8~1none'],
  ['PUT', '/models/tenant-8~1iris', { min_workers: 1 }],
  ['DELETE', '/models/tenant-8~1iris'],
  ['POST', '/models/tenant-8~1iris/preload'],
  ['POST', '/models/tenant-8~1iris/rollback'],
  ['POST', '/models', { model_name: 'tenant-8/new.tar.gz', url: 'tenant-7/iris.tar.gz' }],
  ['POST', '/models', { model_name: 'tenant-7/copy.tar.gz', url: 'tenant-8/iris.tar.gz' }],
  ['POST', '/models', { model_name: 'tenant-7/copy.tar.gz', url: `${BUCKET}/models/tenant-8/iris.tar.gz` }],
  ['POST', '/models', { model_name: 'tenant-7/copy.tar.gz', url: `${BUCKET}/models/diabetes-0001.tar.gz` }],
]);

const wrong = cases('manager', 400, undefined, [
  ['POST', '/models'],
  ['POST', '/models', '{'],
  ['POST', '/models', 'null'],
  ['POST', '/models', '[]'],
  ['POST', '/models', '"x"'],
  ['POST', '/models', '[['.repeat(50_000)],
  ['POST', '/models', {}],
  ['POST', '/models', { model_name: null }],
  ['POST', '/models', { model_name: ['tenant-7/iris.tar.gz'] }],
  ['POST', '/models', { model_name: 'tenant-7/../tenant-8/iris.tar.gz', url: 'tenant-7/iris.tar.gz' }],
  ['POST', '/models', { model_name: 'tenant-7/copy', url: 'tenant-7/iris.tar.gz' }],
  ['POST', '/models', { model_name: 'tenant-7/c.tar.gz', url: '../tenant-8/iris.tar.gz' }],
  [
    'POST',
    '/models',
    { model_name: 'tenant-7/c.tar.gz', url: `${BUCKET}/models/tenant-7/../tenant-8/iris.tar.gz` },
  ],
  ['POST', '/models', { model_name: 'tenant-7/c.tar.gz', url: `${BUCKET}/other/x.tar.gz` }],
  ['POST', '/models', { model_name: 'tenant-7/c.tar.gz', url: 's3://somebody-else/x.tar.gz' }],
  ['POST', '/models', { model_name: 'tenant-7/c.tar.gz', url: 'file:///etc/passwd' }],
  ['POST', '/models', { model_name: 'tenant-7/c.tar.gz', url: 1 }],
  ['POST', '/models', { model_name: 'tenant-7/c.tar.gz', preload: 'yes' }],
  ['POST', '/models', { model_name: 'tenant-7/c.tar.gz', unknown: 1 }],
  ['POST', '/models', '{"model_name":"tenant-7/c.tar.gz","__proto__":{"preload":true}}'],
  ['PUT', OWN, '{'],
  ['PUT', OWN, 'null'],
  ['PUT', OWN, { min_workers: -1 }],
  ['PUT', OWN, { min_workers: 1.5 }],
  ['PUT', OWN, { min_workers: '1' }],
  ['PUT', OWN, { min_workers: 1001 }],
  ['PUT', OWN, '{"min_workers":1e999}'],
  ['PUT', OWN, { max_workers: 0 }],
  ['PUT', OWN, { min_workers: 2, max_workers: 1 }],
  ['PUT', OWN, { max_idle_seconds: 59 }],
  ['PUT', OWN, { pinned: 1 }],
  ['PUT', OWN, { isolated: 'true' }],
  ['PUT', OWN, { constructor: 1 }],
  ['GET', '/models?max_results=0'],
  ['GET', '/models?max_results=-1'],
  ['GET', '/models?max_results=1001'],
  ['GET', '/models?max_results=1.5'],
  ['GET', '/models?max_results=many'],
  ['GET', '/models?max_results='],
  ['GET', '/models?next_page_token=guess'],
  ['GET', '/models?next_page_token=%00'],
  ['GET', `/models?next_page_token=${'a'.repeat(4097)}`],
  ['GET', `/models?prefix=${'a'.repeat(1025)}`],
  ['GET', `${OWN}?open=maybe`],
  ['GET', `${OWN}?open=`],
]);

const absent = cases('manager', 404, undefined, [
  ['GET', '/models/tenant-7~1none'],
  ['PUT', '/models/tenant-7~1none', { pinned: true }],
  ['DELETE', '/models/tenant-7~1none'],
  ['POST', '/models/tenant-7~1none/preload'],
  ['POST', '/models', { model_name: 'tenant-7/none.tar.gz' }],
  ['POST', '/models', { model_name: 'tenant-7/none.tar.gz', url: 'tenant-7/nowhere.tar.gz' }],
]);

const conflicting = cases('manager', 409, undefined, [
  ['POST', '/models', { model_name: 'tenant-7/iris.tar.gz', url: 'tenant-7/iris.tar.gz' }],
  ['POST', '/models/tenant-7~1none/rollback'],
]);

const tooLong = cases('manager', [400, 404], undefined, [
  ['GET', `/models/tenant-7~1${'a'.repeat(1008)}`, undefined],
  ['DELETE', `/models/tenant-7~1${'a'.repeat(1008)}`, undefined],
  ['POST', '/models', { model_name: `tenant-7/${'a'.repeat(1008)}.tar.gz`, url: 'tenant-7/iris.tar.gz' }],
]);

const OPERATION = 'application/x-amz-json-1.1';

const control = (
  [
    ['CreateModel', ''],
    ['CreateModel', '{'],
    ['CreateModel', 'null'],
    ['CreateModel', '{}'],
    ['CreateModel', { ModelName: '../x' }],
    ['CreateModel', { ModelName: 'x' }],
    ['CreateModel', { ModelName: 'x', PrimaryContainer: { ModelDataUrl: 's3://somebody-else/' } }],
    ['CreateModel', { ModelName: 'x', PrimaryContainer: { ModelDataUrl: `${BUCKET}/models/../` } }],
    ['CreateModel', { ModelName: 'x', PrimaryContainer: { ModelDataUrl: `${BUCKET}/` } }],
    ['CreateModel', { ModelName: 'x', PrimaryContainer: { ModelDataUrl: 1 } }],
    ['CreateModel', { ModelName: 'x', Containers: [] }],
    ['CreateEndpointConfig', { EndpointConfigName: 'x', ProductionVariants: [] }],
    [
      'CreateEndpointConfig',
      { EndpointConfigName: 'x', ProductionVariants: [{ VariantName: 'v', ModelName: 'none' }] },
    ],
    ['CreateEndpoint', { EndpointName: 'x', EndpointConfigName: 'none' }],
    ['CreateEndpoint', { EndpointName: 'a'.repeat(64), EndpointConfigName: 'none' }],
    ['DescribeEndpoint', { EndpointName: 'none' }],
    ['DescribeEndpoint', { EndpointName: { S: 'x' } }],
    ['DescribeModel', { ModelName: '__proto__' }],
    ['DeleteEndpoint', { EndpointName: 'none' }],
    ['DeleteEndpoint', { EndpointName: 'lambda-mme-dev' }],
    ['DeleteModel', { ModelName: 'none' }],
    ['ListModels', { MaxResults: 0 }],
    ['ListModels', { MaxResults: 101 }],
    ['ListModels', { NextToken: 'guess' }],
    ['ListModels', { SortBy: 'constructor' }],
    ['ListEndpoints', { CreationTimeAfter: 'now' }],
    ['ListEndpoints', '[['.repeat(50_000)],
  ] as const
).map(
  ([operation, body]): HostileCase => ({
    name: `${operation} ${textOf(body).slice(0, 110)}`,
    speaker: 'control',
    status: 400,
    send: (ground) =>
      by(ground, 'admin', {
        method: 'POST',
        target: '/',
        headers: { 'content-type': OPERATION, 'x-amz-target': `SageMaker.${operation}` },
        body: textOf(body),
      }),
  }),
);

/** Who manages some models may not make endpoints over all. */
const controlOfSome = [
  'CreateModel',
  'CreateEndpoint',
  'DeleteEndpoint',
  'ListEndpoints',
  'DescribeEndpoint',
].map(
  (operation): HostileCase => ({
    name: `${operation} by the manager of one tenant`,
    speaker: 'control',
    status: 403,
    type: 'AccessDeniedException',
    send: (ground) =>
      by(ground, 'manager', {
        method: 'POST',
        target: '/',
        headers: { 'content-type': OPERATION, 'x-amz-target': `SageMaker.${operation}` },
        body: '{}',
      }),
  }),
);

export const managementCases: Area = {
  area: 'management',
  cases: [...foreign, ...wrong, ...absent, ...conflicting, ...tooLong, ...control, ...controlOfSome],
};
