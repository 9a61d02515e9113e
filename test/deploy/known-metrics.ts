import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { emfMetrics } from '../../lib/aws/emf-metrics.ts';
import { shareMetrics, workerMetrics } from '../../lib/aws/worker-metrics.ts';
import type { Metrics } from '../../lib/metrics/metrics.ts';
import { ofType, type Resources } from './deployment.ts';

const ROOT = join(import.meta.dirname, '../..');
const NAMESPACE = 'lambda-mme';

export const keyOf = (namespace: string, name: string, dimensions: readonly string[]): string =>
  `${namespace} ${name} {${[...dimensions].sort().join(',')}}`;

/** What AWS vends, of what is watched: Lambda and SQS developer guides, and API Gateway's page on metrics of HTTP APIs. */
const VENDED: readonly (readonly [string, readonly (readonly string[])[], readonly string[]])[] = [
  [
    'AWS/Lambda',
    [[], ['FunctionName'], ['FunctionName', 'Resource']],
    ['Invocations', 'Errors', 'Throttles', 'Duration', 'ConcurrentExecutions'],
  ],
  [
    'AWS/Lambda',
    [['FunctionName'], ['FunctionName', 'Resource']],
    ['ProvisionedConcurrencyInvocations', 'ProvisionedConcurrencySpilloverInvocations'],
  ],
  [
    'AWS/Lambda',
    [['FunctionName'], ['FunctionName', 'Resource']],
    ['UrlRequestCount', 'Url4xxCount', 'Url5xxCount', 'UrlRequestLatency'],
  ],
  [
    'AWS/Lambda',
    [['FunctionName', 'Resource']],
    ['ProvisionedConcurrentExecutions', 'ProvisionedConcurrencyUtilization'],
  ],
  [
    'AWS/ApiGateway',
    [['ApiId'], ['ApiId', 'Stage']],
    ['4xx', '5xx', 'Count', 'Latency', 'IntegrationLatency'],
  ],
  [
    'AWS/SQS',
    [['QueueName']],
    [
      'ApproximateAgeOfOldestMessage',
      'ApproximateNumberOfMessagesVisible',
      'ApproximateNumberOfMessagesNotVisible',
      'NumberOfMessagesSent',
    ],
  ],
];

const vended = VENDED.flatMap(([namespace, sets, names]) =>
  names.flatMap((name) => sets.map((dimensions) => keyOf(namespace, name, dimensions))),
);

/** Every metric that there can be: what AWS vends, what the sources emit, and what is read out of the scaler's log. */
export const knownMetrics = (resources: Resources): ReadonlySet<string> =>
  new Set([...vended, ...emittedMetrics(), ...filteredMetrics(resources)]);

const filteredMetrics = (resources: Resources): readonly string[] =>
  ofType(resources, 'AWS::Logs::MetricFilter').map(({ MetricTransformations }) => {
    const [first] = MetricTransformations as readonly { MetricNamespace: string; MetricName: string }[];
    return keyOf(first?.MetricNamespace ?? '', first?.MetricName ?? '', []);
  });

/** The calls in the sources are played to the real adapters, and the records read that CloudWatch would read. */
export const emittedMetrics = (): readonly string[] => {
  let atMs = 0;
  const settings = { flushEveryMs: 1, now: () => atMs };
  const router = emfMetrics({ ...settings, namespace: NAMESPACE, dimensions: routerDimensions() });
  const worker = workerMetrics({
    ...settings,
    metricsNamespace: NAMESPACE,
    endpointName: 'e',
    group: 'g',
    usage: () => ({ models: 1, memoryBytes: 1, maxMemoryBytes: 2 }),
  });
  const lines = written(() => {
    for (const call of callsIn('functions/router')) play(router, call);
    for (const call of [...callsIn('functions/inference'), ...callsIn('lib/models')]) play(worker, call);
    atMs = 10;
    router.flushIfDue();
    worker.flushIfDue();
    shareMetrics({ metricsNamespace: NAMESPACE, endpointName: 'e' })(
      { model: 'm', calls: 1, busyMs: 1 },
      Date.now(),
    );
  });
  return lines.flatMap((line) => readRecord(JSON.parse(line)));
};

interface Call {
  readonly kind: 'count' | 'sample' | 'timeMicros';
  readonly name: string;
}

const callsIn = (folder: string): readonly Call[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(ROOT, folder, file), 'utf8').matchAll(
        /\bmetrics\.(count|sample|timeMicros)\('(\w+)'/g,
      ),
    ])
    .map(([, kind, name = '']) => ({ kind: kind as Call['kind'], name }));

const play = (metrics: Metrics, { kind, name }: Call): void => metrics[kind](name, 1);

/** Those that the router's handler names. */
const routerDimensions = (): Readonly<Record<string, string>> => {
  const text = readFileSync(join(ROOT, 'functions/router/handler.ts'), 'utf8');
  const [, names = ''] = /const dimensions = \{([^}]*)\}/.exec(text) ?? [];
  return Object.fromEntries([...names.matchAll(/(\w+):/g)].map(([, name = '']) => [name, 'value']));
};

const readRecord = ({
  _aws,
}: {
  _aws: {
    CloudWatchMetrics: readonly {
      Namespace: string;
      Dimensions: readonly (readonly string[])[];
      Metrics: readonly { Name: string }[];
    }[];
  };
}): readonly string[] =>
  _aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Metrics.flatMap(({ Name }) => Dimensions.map((dimensions) => keyOf(Namespace, Name, dimensions))),
  );

const written = (act: () => void): readonly string[] => {
  const write = process.stdout.write;
  const lines: string[] = [];
  process.stdout.write = ((text: string) => {
    lines.push(...String(text).split('\n').filter(Boolean));
    return true;
  }) as typeof process.stdout.write;
  try {
    act();
  } finally {
    process.stdout.write = write;
  }
  return lines;
};
