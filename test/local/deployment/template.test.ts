import { describe, expect, it } from 'vitest';
import { parseTemplate, type Template } from '../../../local/deployment/template.ts';

const aliasArn = { 'Fn::Join': [':', [{ 'Fn::GetAtt': ['RouterFunction', 'Arn'] }, 'live']] };

const template = (overrides: Template['Resources'] = {}): Template => ({
  Resources: {
    RouterFunction: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'mme-dev-router',
        Handler: 'dist/router/handler.handler',
        MemorySize: 512,
        Timeout: 29,
        Environment: { Variables: { COLD_SHARDS: '4' } },
      },
    },
    RouterLive: {
      Type: 'AWS::Lambda::Alias',
      Properties: { FunctionName: { Ref: 'RouterFunction' }, Name: 'live' },
    },
    Integration: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: { IntegrationUri: aliasArn, TimeoutInMillis: 30_000 },
    },
    Ping: {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        RouteKey: 'GET /ping',
        Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'Integration' }]] },
      },
    },
    RouterUrl: { Type: 'AWS::Lambda::Url', Properties: { TargetFunctionArn: aliasArn, AuthType: 'NONE' } },
    Tick: {
      Type: 'AWS::Events::Rule',
      Properties: { ScheduleExpression: 'rate(1 minute)', Targets: [{ Arn: aliasArn, Id: 'tick' }] },
    },
    DeploymentBucket: { Type: 'AWS::S3::Bucket' },
    Models: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'mme-dev-models' } },
    Catalog: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 'mme-dev-catalog' } },
    ...overrides,
  },
});

describe('parseTemplate', () => {
  it('finds functions with their aliases, routes, schedules and storage', () => {
    const target = { functionName: 'mme-dev-router', qualifier: 'live' };

    expect(parseTemplate(template())).toEqual({
      functions: [
        {
          name: 'mme-dev-router',
          handler: 'dist/router/handler.handler',
          memorySizeMb: 512,
          timeoutSeconds: 29,
          ephemeralStorageMb: 512,
          environment: { COLD_SHARDS: '4' },
          aliases: ['live'],
        },
      ],
      routes: [{ routeKey: 'GET /ping', timeoutMs: 30_000, target }],
      functionUrls: [target],
      schedules: [{ everyMs: 60_000, target }],
      buckets: ['mme-dev-models'],
      tables: [{ TableName: 'mme-dev-catalog' }],
      queues: [],
      eventSources: [],
      notifications: [],
    });
  });

  it.each([
    ['rate(5 minutes)', 300_000],
    ['rate(1 hour)', 3_600_000],
  ])('reads the schedule %s', (ScheduleExpression, everyMs) => {
    const tick = {
      Type: 'AWS::Events::Rule',
      Properties: { ScheduleExpression, Targets: [{ Arn: aliasArn, Id: 'tick' }] },
    };

    expect(parseTemplate(template({ Tick: tick })).schedules[0]?.everyMs).toBe(everyMs);
  });

  it('names a variable that needs an account to resolve', () => {
    const resources = template().Resources;
    const broken = {
      ...resources['RouterFunction'],
      Type: 'AWS::Lambda::Function',
      Properties: {
        ...resources['RouterFunction']?.Properties,
        Environment: { Variables: { TABLE: { Ref: 'Catalog' } } },
      },
    };

    expect(() => parseTemplate(template({ RouterFunction: broken }))).toThrow(
      /RouterFunction.Environment.TABLE should be a literal value/,
    );
  });

  it('names a property of an unexpected form', () => {
    const broken = { Type: 'AWS::ApiGatewayV2::Route', Properties: { RouteKey: 7, Target: {} } };

    expect(() => parseTemplate(template({ Ping: broken }))).toThrow(
      /Ping.Target should be a Fn::Join with "\/"/,
    );
  });
});

/** As osls 4.3 compiles `events: - sqs: {...}` of a function that has an alias. */
const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const mapping = (properties: object = {}) => ({
  Type: 'AWS::Lambda::EventSourceMapping',
  DependsOn: ['RouterRole', 'RouterLive'],
  Properties: {
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 5,
    EventSourceArn: arnOf('Uploads'),
    FunctionName: aliasArn,
    Enabled: true,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 2 },
    ...properties,
  },
});
const queue = (QueueName: string, properties: object = {}) => ({
  Type: 'AWS::SQS::Queue',
  Properties: { QueueName, ...properties },
});
const bucket = (configuration: object) => ({
  Type: 'AWS::S3::Bucket',
  Properties: { BucketName: 'mme-dev-models', NotificationConfiguration: configuration },
});
const withQueues = (overrides: Template['Resources'] = {}): Template =>
  template({
    Uploads: queue('mme-dev-uploads', {
      VisibilityTimeout: 300,
      MessageRetentionPeriod: 345_600,
      RedrivePolicy: { deadLetterTargetArn: arnOf('Dead'), maxReceiveCount: 3 },
    }),
    Dead: queue('mme-dev-dead'),
    Mapping: mapping(),
    ...overrides,
  });

describe('parseTemplate with queues', () => {
  it('finds queues, and where their dead letters go', () => {
    expect(parseTemplate(withQueues()).queues).toEqual([
      {
        name: 'mme-dev-uploads',
        attributes: {
          VisibilityTimeout: '300',
          MessageRetentionPeriod: '345600',
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:mme-dev-dead',
            maxReceiveCount: 3,
          }),
        },
      },
      { name: 'mme-dev-dead', attributes: {} },
    ]);
  });

  it('finds which function is given the messages of which queue', () => {
    expect(parseTemplate(withQueues()).eventSources).toEqual([
      {
        queueName: 'mme-dev-uploads',
        target: { functionName: 'mme-dev-router', qualifier: 'live' },
        enabled: true,
        batchSize: 100,
        windowMs: 5000,
        reportsFailures: true,
        maximumConcurrency: 2,
      },
    ]);
  });

  it('gives a mapping the defaults of AWS', () => {
    const Properties = {
      EventSourceArn: arnOf('Dead'),
      FunctionName: arnOf('RouterFunction'),
      Enabled: false,
    };
    const Mapping = { Type: 'AWS::Lambda::EventSourceMapping', Properties };

    expect(parseTemplate(withQueues({ Mapping })).eventSources).toEqual([
      {
        queueName: 'mme-dev-dead',
        target: { functionName: 'mme-dev-router', qualifier: undefined },
        enabled: false,
        batchSize: 10,
        windowMs: 0,
        reportsFailures: false,
      },
    ]);
  });

  it('finds what a bucket tells a queue', () => {
    const Rules = [
      { Name: 'prefix', Value: 'models/' },
      { Name: 'suffix', Value: '.tar.gz' },
    ];
    const Models = bucket({
      QueueConfigurations: [
        { Event: 's3:ObjectCreated:*', Queue: arnOf('Uploads'), Filter: { S3Key: { Rules } } },
        { Event: 's3:ObjectRemoved:*', Queue: arnOf('Uploads') },
      ],
    });
    const to = { bucket: 'mme-dev-models', queueName: 'mme-dev-uploads' };

    expect(parseTemplate(withQueues({ Models })).notifications).toEqual([
      { ...to, id: 'Models-0', event: 's3:ObjectCreated:*', prefix: 'models/', suffix: '.tar.gz' },
      { ...to, id: 'Models-1', event: 's3:ObjectRemoved:*', prefix: '', suffix: '' },
    ]);
  });

  it.each<[string, Template['Resources'], RegExp]>([
    ['a FIFO queue', { Dead: queue('dead.fifo', { FifoQueue: true }) }, /Dead.FifoQueue/],
    ['a queue without a name', { Dead: { Type: 'AWS::SQS::Queue' } }, /Dead.QueueName should be text/],
    [
      'dead letters without a queue',
      { Uploads: queue('uploads', { RedrivePolicy: { deadLetterTargetArn: 'arn', maxReceiveCount: 3 } }) },
      /Uploads.RedrivePolicy.deadLetterTargetArn should be a Fn::GetAtt/,
    ],
    [
      'a source that is no queue',
      { Mapping: mapping({ EventSourceArn: arnOf('Catalog') }) },
      /Mapping.EventSourceArn/,
    ],
    ['a filter', { Mapping: mapping({ FilterCriteria: { Filters: [] } }) }, /Mapping.FilterCriteria/],
    [
      'a large batch without a window',
      { Mapping: mapping({ BatchSize: 11, MaximumBatchingWindowInSeconds: 0 }) },
      /MaximumBatchingWindowInSeconds should be from 1 to 300/,
    ],
    [
      'a concurrency of one',
      { Mapping: mapping({ ScalingConfig: { MaximumConcurrency: 1 } }) },
      /MaximumConcurrency should be from 2 to 1000/,
    ],
    [
      'a visibility timeout shorter than the function',
      { Uploads: queue('uploads', { VisibilityTimeout: 33 }) },
      /VisibilityTimeout of uploads should be at least the 29 s that mme-dev-router may take and the 5 s of its window, but is 33/,
    ],
    [
      'a bucket that tells a topic',
      { Models: bucket({ TopicConfigurations: [] }) },
      /Models.NotificationConfiguration/,
    ],
    [
      'an event that is not told here',
      { Models: bucket({ QueueConfigurations: [{ Event: 's3:Restore:*', Queue: arnOf('Uploads') }] }) },
      /NotificationConfiguration.Event/,
    ],
  ])('refuses %s', (_, overrides, message) => {
    expect(() => parseTemplate(withQueues(overrides))).toThrow(message);
  });
});
