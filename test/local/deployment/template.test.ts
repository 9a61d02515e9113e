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
      schedules: [{ everyMs: 60_000, target }],
      buckets: ['mme-dev-models'],
      tables: [{ TableName: 'mme-dev-catalog' }],
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
