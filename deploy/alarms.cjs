const { readDeployment } = require('./dashboard/read-deployment.cjs');
const { scalerMetricFilters } = require('./dashboard/scaler-metrics.cjs');

/**
 * Few alarms, each with something to do (docs/operations.md). A metric in an alarm costs $0.10 a month, so those that are of all
 * groups together read metrics that exist over all groups: alarms take no SEARCH, and ten metrics at most.
 */
module.exports.resources = async (context) => {
  const deployment = await readDeployment(context);
  if (!deployment.hasAlarms) return { Resources: {} };
  const alarms = listAlarms(deployment).map(({ id, ...properties }) => [
    `${id}Alarm`,
    { Type: 'AWS::CloudWatch::Alarm', Properties: { ...properties, ...notify(deployment) } },
  ]);
  return {
    Resources: {
      ...Object.fromEntries(alarms),
      ...scalerMetricFilters(deployment),
      ...notifications(deployment),
    },
  };
};

/** Names of the alarms that a deployment has. */
module.exports.alarmNames = (deployment) => listAlarms(deployment).map(({ AlarmName }) => AlarmName);

const FIVE_MINUTES = 300;

const listAlarms = (deployment) => {
  const { prefix, workerBudget } = deployment;
  return [
    {
      id: 'Errors',
      AlarmName: `${prefix}errors`,
      AlarmDescription:
        'Calls are answered with 5xx: at least 1 % of them, and ten in five minutes or more. A worker, or an AWS service that it needs, fails. ' +
        'First: npx mme logs --errors --since 30m',
      ...shareOfCalls('Invocation5XXErrors', deployment),
      Threshold: 1,
      EvaluationPeriods: 1,
      DatapointsToAlarm: 1,
    },
    {
      id: 'RouterFailing',
      AlarmName: `${prefix}router-failing`,
      AlarmDescription:
        'The router itself ends or runs out of time, so it can neither answer nor count: at least 1 % of its calls, and five in five minutes or more. ' +
        'First: npx mme logs router --errors --since 30m; after a deployment, roll it back',
      ...routerFailures(deployment),
      Threshold: 1,
      EvaluationPeriods: 1,
      DatapointsToAlarm: 1,
    },
    {
      id: 'Throttles',
      AlarmName: `${prefix}throttles`,
      AlarmDescription:
        'Lambda turns calls away (429), in this account and region: all functions share its limit of concurrency, others than this ' +
        'endpoint too. First: see which function on the dashboard, then ask AWS for a higher limit of concurrent executions',
      // Without a dimension: of all functions. What counts is the account's limit, as groups reserve nothing.
      ...one('AWS/Lambda', 'Throttles', {}, 'Sum', FIVE_MINUTES),
      Threshold: 10,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
    },
    {
      id: 'ModelsFailing',
      AlarmName: `${prefix}models-failing`,
      AlarmDescription:
        'Models do not load, fail or take too long: 5 % of the calls, and ten in five minutes or more. ' +
        'First: npx mme logs --errors --since 30m names the models, npx mme describe MODEL says what is wrong with one',
      ...shareOfCalls('InvocationModelErrors', deployment),
      Threshold: 5,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
    },
    {
      id: 'Thrash',
      AlarmName: `${prefix}thrash`,
      AlarmDescription:
        'Workers load models again that they had to put away: 5 % of the calls and more for a quarter of an hour, so callers wait for loads. ' +
        'First: more coldShards, or more inferenceMemory',
      ...reloads(deployment),
      Threshold: 5,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
    },
    {
      id: 'AsyncDeadLetters',
      AlarmName: `${prefix}async-dead-letters`,
      AlarmDescription:
        'Asynchronous calls were put aside without an answer or a failure in S3, so their callers wait in vain. ' +
        'First: npx mme logs async --errors --since 1d, then move them back (docs/operations.md)',
      ...messagesIn('AsyncDeadLetters'),
    },
    {
      id: 'AsyncLate',
      AlarmName: `${prefix}async-late`,
      AlarmDescription:
        'Asynchronous calls wait for more than an hour. ' +
        'First: npx mme logs async --since 1h; if there is nothing wrong, raise asyncConcurrency',
      ...one('AWS/SQS', 'ApproximateAgeOfOldestMessage', queue('AsyncQueue'), 'Maximum', FIVE_MINUTES),
      Threshold: 3600,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
    },
    {
      id: 'ObjectEventDeadLetters',
      AlarmName: `${prefix}object-event-dead-letters`,
      AlarmDescription:
        'What S3 said of models could not be noted in the table. Calls are not touched; bounds of deleted models may remain. ' +
        'First: npx mme logs catalog --errors --since 1d, then move the messages back (docs/operations.md)',
      ...messagesIn('ObjectEventsDeadLetters'),
    },
    {
      id: 'ScalerSilent',
      AlarmName: `${prefix}scaler-silent`,
      AlarmDescription:
        'No tick of the scaler has succeeded for a quarter of an hour: workers stay as they are, and so does what they cost. ' +
        'First: npx mme logs scaler --errors --since 1h. Alarms for a few minutes after the first deployment',
      ...goodTicks(deployment),
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      EvaluationPeriods: 3,
      DatapointsToAlarm: 3,
      // Lambda has no Invocations where nothing is invoked: that is what is looked for.
      TreatMissingData: 'breaching',
    },
    {
      id: 'Spillover',
      AlarmName: `${prefix}spillover`,
      AlarmDescription:
        'Calls do not find the workers that are paid for, or what else the scaler cannot mend itself. ' +
        'First: npx mme logs scaler --since 30m has the group and the reason below "alarms"',
      ...one(deployment.scalerNamespace, 'TicksWithAlarms', {}, 'Sum', FIVE_MINUTES),
      Threshold: 1,
      EvaluationPeriods: 2,
      DatapointsToAlarm: 2,
    },
    ...(workerBudget === 0 ? [] : [atBudget(deployment)]),
  ].map((alarm) => ({
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    // Where nobody calls there are no metrics, and all is well.
    TreatMissingData: 'notBreaching',
    ...alarm,
  }));
};

const atBudget = ({ prefix, scalerNamespace, workerBudget }) => ({
  id: 'WorkersAtBudget',
  AlarmName: `${prefix}workers-at-budget`,
  AlarmDescription:
    `The scaler has given out nine tenths of the ${workerBudget} workers of workerBudget for half an hour: more load gets no more workers. ` +
    'First: npx mme workers says who has them, and what for; then raise workerBudget, or leave it and let calls run on demand',
  ...one(scalerNamespace, 'Workers', {}, 'Minimum', FIVE_MINUTES),
  Threshold: Math.ceil(0.9 * workerBudget),
  EvaluationPeriods: 6,
  DatapointsToAlarm: 6,
});

/** The router notes 0 or 1 for each call, whichever address it came by, so the number of notes is that of the calls. */
const shareOfCalls = (name, { namespace, endpointName }) => {
  const metric = [namespace, name, endpoint(endpointName)];
  return calculated('IF(failed >= 10, 100 * failed / calls, 0)', [
    ['failed', ...metric, 'Sum', FIVE_MINUTES],
    ['calls', ...metric, 'SampleCount', FIVE_MINUTES],
  ]);
};

/** An alarm of its own: an expression with a metric that is missing has no value, and a router that ends emits none of its own. */
const routerFailures = ({ prefix }) => {
  const router = { FunctionName: `${prefix}router` };
  return calculated('IF(failed >= 5, 100 * failed / calls, 0)', [
    ['failed', 'AWS/Lambda', 'Errors', router, 'Sum', FIVE_MINUTES],
    ['calls', 'AWS/Lambda', 'Invocations', router, 'Sum', FIVE_MINUTES],
  ]);
};

const reloads = ({ namespace, endpointName }) =>
  calculated('IF(reloads >= 50, 100 * reloads / opens, 0)', [
    ['reloads', namespace, 'ModelReloads', endpoint(endpointName), 'Sum', FIVE_MINUTES],
    ['opens', namespace, 'ModelCacheHit', endpoint(endpointName), 'SampleCount', FIVE_MINUTES],
  ]);

const goodTicks = ({ prefix }) => {
  const scaler = { FunctionName: `${prefix}scaler` };
  return calculated('ticks - failures', [
    ['ticks', 'AWS/Lambda', 'Invocations', scaler, 'Sum', FIVE_MINUTES],
    ['failures', 'AWS/Lambda', 'Errors', scaler, 'Sum', FIVE_MINUTES],
  ]);
};

const messagesIn = (logicalId) => ({
  ...one('AWS/SQS', 'ApproximateNumberOfMessagesVisible', queue(logicalId), 'Maximum', FIVE_MINUTES),
  Threshold: 1,
  EvaluationPeriods: 1,
  DatapointsToAlarm: 1,
});

const endpoint = (EndpointName) => ({ EndpointName, VariantName: 'AllTraffic' });
const queue = (logicalId) => ({ QueueName: { 'Fn::GetAtt': [logicalId, 'QueueName'] } });

const metricOf = (Namespace, MetricName, dimensions) => ({
  Namespace,
  MetricName,
  Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
});

const one = (namespace, name, dimensions, Statistic, Period) => ({
  ...metricOf(namespace, name, dimensions),
  Statistic,
  Period,
});

const calculated = (Expression, metrics) => ({
  Metrics: [
    { Id: 'result', Expression, ReturnData: true },
    ...metrics.map(([Id, namespace, name, dimensions, Stat, Period]) => ({
      Id,
      MetricStat: { Metric: metricOf(namespace, name, dimensions), Stat, Period },
      ReturnData: false,
    })),
  ],
});

const notify = ({ alarmEmail }) => {
  if (alarmEmail === '') return {};
  const actions = [{ Ref: 'AlarmsTopic' }];
  return { AlarmActions: actions, OKActions: actions };
};

/**
 * No KMS key: CloudWatch may not use alias/aws/sns, whose policy nobody can change, and a key of one's own ($1 a month) would protect
 * what then travels as plain mail. The messages name alarms and numbers.
 */
const notifications = ({ prefix, alarmEmail }) => {
  if (alarmEmail === '') return {};
  return {
    AlarmsTopic: {
      Type: 'AWS::SNS::Topic',
      Properties: {
        TopicName: `${prefix}alarms`,
        Subscription: [{ Protocol: 'email', Endpoint: alarmEmail }],
      },
    },
    AlarmsTopicPolicy: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: {
        Topics: [{ Ref: 'AlarmsTopic' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'cloudwatch.amazonaws.com' },
              Action: 'sns:Publish',
              Resource: { Ref: 'AlarmsTopic' },
              Condition: {
                StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
                ArnLike: { 'aws:SourceArn': { 'Fn::Sub': `${alarmArn(prefix)}*` } },
              },
            },
          ],
        },
      },
    },
  };
};

const alarmArn = (name) =>
  `arn:\${AWS::Partition}:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:${name}`;
module.exports.alarmArn = alarmArn;
