const { costPanel } = require('./cost-panel.cjs');
const { apiMetric, expression, functionMetric, ownMetric, queueMetric, search } = require('./metrics.cjs');

/** The panels, three in a row: callers, models, workers, the other functions, what it costs. */
module.exports.listPanels = (deployment) => [
  ...forCallers(deployment),
  ...forModels(deployment),
  ...forWorkers(deployment),
  ...forOthers(deployment),
  costPanel(deployment),
];

const ROUTER = ['EndpointName', 'VariantName'];
const PER_GROUP = ['EndpointName', 'Group'];

const forCallers = (deployment) => {
  const { prefix } = deployment;
  const router = (name, options) => ownMetric(deployment, name, ROUTER, options);
  return [
    panel('Calls', [
      apiMetric('Count', { stat: 'Sum', label: 'requests of the HTTP API' }),
      functionMetric(`${prefix}router`, 'UrlRequestCount', {
        stat: 'Sum',
        label: 'requests of the function URL',
      }),
      router('Invocations', { stat: 'Sum', label: 'answered synchronous calls' }),
      queueMetric('AsyncQueue', 'NumberOfMessagesSent', { stat: 'Sum', label: 'asynchronous calls' }),
    ]),
    panel('Errors by kind', [
      apiMetric('5xx', { stat: 'Sum', label: '5xx, HTTP API' }),
      functionMetric(`${prefix}router`, 'Url5xxCount', { stat: 'Sum', label: '5xx, function URL' }),
      router('Invocation5XXErrors', { stat: 'Sum', label: '5xx, calls' }),
      router('InvocationModelErrors', { stat: 'Sum', label: 'the model: failed, not ready, worker lost' }),
      router('Invocation4XXErrors', { stat: 'Sum', label: '4xx, calls' }),
      ...['router', 'management', 'async', 'catalog', 'scaler'].map((name) =>
        functionMetric(prefix + name, 'Errors', { stat: 'Sum', label: `function ${name}` }),
      ),
    ]),
    panel(
      'Latency',
      [
        apiMetric('Latency', { stat: 'p50', label: 'HTTP API, p50' }),
        apiMetric('Latency', { stat: 'p99', label: 'HTTP API, p99' }),
        functionMetric(`${prefix}router`, 'UrlRequestLatency', { stat: 'p50', label: 'function URL, p50' }),
        functionMetric(`${prefix}router`, 'UrlRequestLatency', { stat: 'p99', label: 'function URL, p99' }),
        ...times(deployment, 'ModelLatency', 'worker'),
        ...times(deployment, 'OverheadLatency', 'router and Lambda'),
      ],
      { yAxis: axis('ms') },
    ),
  ];
};

const forModels = (deployment) => {
  const worker = (name, options) => ownMetric(deployment, name, ROUTER, options);
  const reloads = { stat: 'Sum', id: 'reloads', label: 'again, after having made room' };
  return [
    panel(
      'Hit rate',
      [
        worker('ModelCacheHit', { stat: 'Average', id: 'hits', visible: false }),
        expression('100 * hits', { id: 'rate', label: 'models that were open, % of calls' }),
        worker('LoadedModelCount', {
          stat: 'Average',
          yAxis: 'right',
          label: 'models open in a worker (right)',
        }),
      ],
      { yAxis: { left: { min: 0, max: 100, label: '%', showUnits: false }, right: { min: 0 } } },
    ),
    panel('Loads', [
      worker('ModelLoadingTime', { stat: 'SampleCount', label: 'models opened' }),
      worker('ModelDownloadingTime', { stat: 'SampleCount', label: 'of them fetched from S3' }),
      worker('ModelReloads', reloads),
    ]),
    panel(
      'Time of loads',
      [
        ...times(deployment, 'ModelLoadingWaitTime', 'waited for'),
        ...times(deployment, 'ModelDownloadingTime', 'download'),
        ...times(deployment, 'ModelLoadingTime', 'open'),
      ],
      { yAxis: axis('ms') },
    ),
  ];
};

const forWorkers = (deployment) => {
  const { prefix, groups, scalerNamespace, workerBudget } = deployment;
  const byGroup = (name, stat) =>
    groups.map((group) => functionMetric(prefix + group, name, { stat, label: group }));
  const ownByGroup = (name, stat) =>
    groups.map((group) => ownMetric(deployment, name, PER_GROUP, { stat, label: group, group }));
  const functions = groups.map((group) => prefix + group);
  return [
    panel(
      'Workers',
      [
        [scalerNamespace, 'Workers', { stat: 'Maximum', label: 'wanted by the scaler' }],
        ...search(functions, 'ProvisionedConcurrentExecutions', 'busy'),
      ],
      { annotations: { horizontal: [{ label: 'workerBudget', value: workerBudget }] } },
    ),
    panel('Busy environments by group', byGroup('ConcurrentExecutions', 'Maximum')),
    panel(
      'Utilization of workers (1: all are busy)',
      search(functions, 'ProvisionedConcurrencyUtilization', ''),
    ),
    panel('Calls by group', byGroup('Invocations', 'Sum')),
    panel(
      'Calls that no worker was free for (spillover)',
      byGroup('ProvisionedConcurrencySpilloverInvocations', 'Sum'),
    ),
    panel('Throttles', [
      functionMetric(`${prefix}router`, 'Throttles', { stat: 'Sum', label: 'router' }),
      ...byGroup('Throttles', 'Sum'),
    ]),
    panel('Starts on demand', ownByGroup('OnDemandStartTime', 'SampleCount')),
    panel('Memory of models, fullest worker', ownByGroup('ModelMemoryUtilization', 'Maximum'), {
      yAxis: axis('%'),
    }),
    panel('Loads again by group', ownByGroup('ModelReloads', 'Sum')),
  ];
};

const forOthers = ({ prefix, scalerNamespace }) => {
  const scaler = (name, options) => functionMetric(`${prefix}scaler`, name, options);
  return [
    panel('Asynchronous calls in the queue', [
      queueMetric('AsyncQueue', 'ApproximateNumberOfMessagesVisible', { stat: 'Maximum', label: 'waiting' }),
      queueMetric('AsyncQueue', 'ApproximateNumberOfMessagesNotVisible', {
        stat: 'Maximum',
        label: 'running, or waiting to be tried again',
      }),
      queueMetric('AsyncDeadLetters', 'ApproximateNumberOfMessagesVisible', {
        stat: 'Maximum',
        label: 'put aside',
      }),
      queueMetric('ObjectEventsDeadLetters', 'ApproximateNumberOfMessagesVisible', {
        stat: 'Maximum',
        label: "S3's events, put aside",
      }),
    ]),
    panel(
      'Age of the oldest asynchronous call',
      [queueMetric('AsyncQueue', 'ApproximateAgeOfOldestMessage', { stat: 'Maximum', label: 'seconds' })],
      { yAxis: axis('s') },
    ),
    panel('Scaler', [
      scaler('Invocations', { stat: 'Sum', label: 'ticks' }),
      scaler('Errors', { stat: 'Sum', label: 'failed' }),
      [scalerNamespace, 'TicksWithMoves', { stat: 'Sum', label: 'that moved something' }],
      [scalerNamespace, 'TicksWithAlarms', { stat: 'Sum', label: 'with an alarm' }],
      scaler('Duration', {
        stat: 'Maximum',
        yAxis: 'right',
        label: 'longest, ms (right; 50,000 is the end)',
      }),
    ]),
  ];
};

const panel = (title, metrics, options = {}) => ({ title, metrics, period: 60, ...options });

const axis = (label) => ({ left: { min: 0, label, showUnits: false } });

/** p50 and p99 in milliseconds of what is emitted in microseconds. */
const times = (deployment, name, label) =>
  ['p50', 'p99'].flatMap((stat) => {
    const id = `${name.charAt(0).toLowerCase()}${name.slice(1)}_${stat}`;
    return [
      ownMetric(deployment, name, ROUTER, { stat, id, visible: false }),
      expression(`${id} / 1000`, { id: `${id}_ms`, label: `${label}, ${stat}` }),
    ];
  });
