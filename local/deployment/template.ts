/** A compiled CloudFormation template, as far as the local cloud reads it. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
}

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

type Properties = Readonly<Record<string, unknown>>;

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
  readonly schedules: readonly DeployedSchedule[];
  readonly buckets: readonly string[];
  /** Inputs of DynamoDB's CreateTable. */
  readonly tables: readonly Properties[];
}

/**
 * Reads what the framework would deploy, so that the local cloud runs exactly that and needs no second list.
 * @throws Error naming the resource and property that is not of the form the framework writes.
 */
export const parseTemplate = (template: Template): Deployment => {
  const ofType = (type: string): readonly (readonly [string, Properties])[] =>
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

  return {
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
        target: target(integration['IntegrationUri'], `${integrationId}.IntegrationUri`, functionName),
      };
    }),

    schedules: ofType('AWS::Events::Rule').flatMap(([id, rule]) =>
      list(rule['Targets']).map((each) => ({
        everyMs: rateMs(text(rule['ScheduleExpression'], `${id}.ScheduleExpression`), id),
        target: target(record(each)['Arn'], `${id}.Targets`, functionName),
      })),
    ),

    buckets: ofType('AWS::S3::Bucket').flatMap(([, bucket]) => {
      const name = bucket['BucketName'];
      return typeof name === 'string' ? [name] : [];
    }),

    tables: ofType('AWS::DynamoDB::Table').map(([, table]) => table),
  };
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

const join = (value: unknown, separator: string, where: string): readonly unknown[] => {
  const [found, parts] = list(record(value)['Fn::Join']);
  if (found !== separator) throw unexpected(where, `a Fn::Join with "${separator}"`, value);
  return list(parts);
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
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const record = (value: unknown): Properties =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Properties) : {};
const reference = (value: unknown, where: string): string => text(record(value)['Ref'], where);

const text = (value: unknown, where: string): string => {
  if (typeof value !== 'string') throw unexpected(where, 'text', value);
  return value;
};

const integer = (value: unknown, where: string): number => {
  if (!Number.isInteger(value)) throw unexpected(where, 'a whole number', value);
  return Number(value);
};

const unexpected = (where: string, expected: string, came: unknown): Error =>
  new Error(`compiled template: ${where} should be ${expected}, but is ${JSON.stringify(came)}`);
