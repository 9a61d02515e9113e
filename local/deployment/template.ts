import {
  type BucketNotification,
  checkVisibility,
  type DeployedEventSource,
  parseEventSources,
  parseNotifications,
} from './event-sources.ts';
import { type DeployedQueue, parseQueues, queueNames } from './queues.ts';
import {
  integer,
  join,
  list,
  type OfType,
  type Properties,
  record,
  reference,
  text,
  unexpected,
} from './template-values.ts';

/** A compiled CloudFormation template, as far as the local cloud reads it. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface DeployedFunction {
  readonly name: string;
  readonly handler: string;
  readonly memorySizeMb: number;
  readonly timeoutSeconds: number;
  readonly ephemeralStorageMb: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly aliases: readonly string[];
}

export interface FunctionTarget {
  readonly functionName: string;
  readonly qualifier: string | undefined;
}

export interface DeployedRoute {
  readonly routeKey: string;
  readonly timeoutMs: number;
  readonly target: FunctionTarget;
}

export interface DeployedSchedule {
  readonly everyMs: number;
  readonly target: FunctionTarget;
}

export interface Deployment {
  readonly functions: readonly DeployedFunction[];
  readonly routes: readonly DeployedRoute[];
  /** Functions with an address of their own. */
  readonly functionUrls: readonly FunctionTarget[];
  readonly schedules: readonly DeployedSchedule[];
  readonly buckets: readonly string[];
  /** Those of `buckets` that have versions, where any has. */
  readonly versionedBuckets?: readonly string[];
  /** Inputs of DynamoDB's CreateTable. */
  readonly tables: readonly Properties[];
  readonly queues: readonly DeployedQueue[];
  readonly eventSources: readonly DeployedEventSource[];
  readonly notifications: readonly BucketNotification[];
}

/**
 * Reads what the framework would deploy, so that the local cloud runs exactly that and needs no second list.
 * @throws Error naming the resource and property that is not of the form the framework writes.
 */
export const parseTemplate = (template: Template): Deployment => {
  const ofType: OfType = (type) =>
    Object.entries(template.Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, resource]) => [id, resource.Properties ?? {}] as const);

  const functions = new Map(ofType('AWS::Lambda::Function'));
  const functionName = (id: string): string =>
    text(functions.get(id)?.['FunctionName'], `${id}.FunctionName`);
  const aliases = ofType('AWS::Lambda::Alias').map(([id, alias]) => ({
    functionId: reference(alias['FunctionName'], `${id}.FunctionName`),
    name: text(alias['Name'], `${id}.Name`),
  }));
  const integrations = new Map(ofType('AWS::ApiGatewayV2::Integration'));
  const queues = queueNames(ofType);
  const targetOf = (value: unknown, where: string): FunctionTarget => target(value, where, functionName);

  const deployment: Deployment = {
    functions: [...functions].map(([id, properties]) => ({
      name: functionName(id),
      handler: text(properties['Handler'], `${id}.Handler`),
      memorySizeMb: integer(properties['MemorySize'] ?? 128, `${id}.MemorySize`),
      timeoutSeconds: integer(properties['Timeout'] ?? 3, `${id}.Timeout`),
      ephemeralStorageMb: integer(
        record(properties['EphemeralStorage'])['Size'] ?? 512,
        `${id}.EphemeralStorage.Size`,
      ),
      environment: literals(record(record(properties['Environment'])['Variables']), id),
      aliases: aliases.filter(({ functionId }) => functionId === id).map(({ name }) => name),
    })),

    routes: ofType('AWS::ApiGatewayV2::Route').map(([id, route]) => {
      const integrationId = reference(last(join(route['Target'], '/', `${id}.Target`)), `${id}.Target`);
      const integration = integrations.get(integrationId) ?? {};
      return {
        routeKey: text(route['RouteKey'], `${id}.RouteKey`),
        timeoutMs: integer(integration['TimeoutInMillis'] ?? 30_000, `${integrationId}.TimeoutInMillis`),
        target: targetOf(integration['IntegrationUri'], `${integrationId}.IntegrationUri`),
      };
    }),

    functionUrls: ofType('AWS::Lambda::Url').map(([id, url]) =>
      targetOf(url['TargetFunctionArn'], `${id}.TargetFunctionArn`),
    ),

    schedules: ofType('AWS::Events::Rule').flatMap(([id, rule]) =>
      list(rule['Targets']).map((each) => ({
        everyMs: rateMs(text(rule['ScheduleExpression'], `${id}.ScheduleExpression`), id),
        target: targetOf(record(each)['Arn'], `${id}.Targets`),
      })),
    ),

    buckets: ofType('AWS::S3::Bucket').flatMap(([, bucket]) => {
      const name = bucket['BucketName'];
      return typeof name === 'string' ? [name] : [];
    }),

    ...versionedBuckets(ofType),

    tables: ofType('AWS::DynamoDB::Table').map(([, table]) => table),
    queues: parseQueues(ofType, queues),
    eventSources: parseEventSources({ ofType, queues, targetOf }),
    notifications: parseNotifications(ofType, queues),
  };
  checkVisibility(deployment);
  return deployment;
};

const versionedBuckets = (ofType: OfType): Pick<Deployment, 'versionedBuckets'> => {
  const names = ofType('AWS::S3::Bucket').flatMap(([, bucket]) => {
    const name = bucket['BucketName'];
    const isVersioned = record(bucket['VersioningConfiguration'])['Status'] === 'Enabled';
    return typeof name === 'string' && isVersioned ? [name] : [];
  });
  return names.length === 0 ? {} : { versionedBuckets: names };
};

/** `{"Fn::Join": [":", [{"Fn::GetAtt": [function, "Arn"]}, alias]]}`, or the bare GetAtt. */
const target = (value: unknown, where: string, functionName: (id: string) => string): FunctionTarget => {
  const [arn, qualifier] = 'Fn::Join' in record(value) ? join(value, ':', where) : [value];
  const [functionId] = list(record(arn)['Fn::GetAtt']);
  return {
    functionName: functionName(text(functionId, where)),
    qualifier: qualifier === undefined ? undefined : text(qualifier, where),
  };
};

/** EventBridge's `rate(value unit)`; the template has no cron expressions. */
const rateMs = (expression: string, where: string): number => {
  const [, value, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (value === undefined || unit === undefined)
    throw unexpected(where, 'rate(N minutes|hours|days)', expression);
  const minutes = { minute: 1, hour: 60, day: 1440 }[unit as 'minute' | 'hour' | 'day'];
  return Number(value) * minutes * 60_000;
};

const literals = (variables: Properties, functionId: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => {
      if (typeof value === 'object') {
        throw unexpected(
          `${functionId}.Environment.${name}`,
          'a literal value (it must work without an account)',
          value,
        );
      }
      return [name, String(value)];
    }),
  );

const last = (values: readonly unknown[]): unknown => values.at(-1);
