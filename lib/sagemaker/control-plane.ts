import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import { deployedEndpoint } from '../endpoints/endpoint.ts';
import { ControlError } from './control-error.ts';
import { pageOf } from './listing.ts';
import { asyncOutputOf, type Places, prefixBelowModels } from './locations.ts';
import type { Kind, SageMakerRecord, SageMakerRecords } from './records.ts';
import * as schemas from './schemas.ts';

export interface ControlPlaneOptions extends Places {
  readonly records: SageMakerRecords;
  /** The endpoint that the deployment has of itself. */
  readonly endpointName: string;
  readonly now: Clock;
}

/** Whose names things get: `arn:aws:sagemaker:us-east-1:123456789012:`. */
export type ArnPrefix = string;

type Output = Readonly<Record<string, unknown>>;
type Operation = (input: unknown, arnPrefix: ArnPrefix) => Promise<Output>;

/**
 * The part of SageMaker's control plane that multi-model endpoints need: names for prefixes of the bucket's models. Nothing is
 * started by it: an endpoint is InService as soon as it is known.
 */
export const createControlPlane = (options: ControlPlaneOptions): Readonly<Record<string, Operation>> => {
  const { records, endpointName, now } = options;

  const existing = async (kind: Kind, name: string, arnPrefix: ArnPrefix): Promise<SageMakerRecord> => {
    const record =
      kind === 'endpoint' && name === endpointName
        ? ownEndpoint(endpointName)
        : await records.find(kind, name);
    if (record !== undefined) return record;
    throw new ControlError(`Could not find ${WORDS[kind]} "${arn(arnPrefix, kind, name)}".`);
  };

  const create = async (
    kind: Kind,
    given: Output,
    arnPrefix: ArnPrefix,
    more: Pick<SageMakerRecord, 'route'> = {},
  ): Promise<Output> => {
    const name = String(given[NAME[kind]]);
    if (JSON.stringify(given).length > MAX_GIVEN) {
      throw new ControlError(
        `the request has more than ${MAX_GIVEN} characters: leave out what nothing acts on`,
      );
    }
    const nowMs = now();
    const record = { name, createdAtMs: nowMs, modifiedAtMs: nowMs, given, ...more };
    const isNew = !(kind === 'endpoint' && name === endpointName) && (await records.create(kind, record));
    if (isNew) return { [ARN[kind]]: arn(arnPrefix, kind, name) };
    throw new ControlError(`Cannot create already existing ${WORDS[kind]} "${arn(arnPrefix, kind, name)}".`);
  };

  const remove = async (kind: Kind, name: string, arnPrefix: ArnPrefix): Promise<Output> => {
    if (kind === 'endpoint' && name === endpointName) {
      throw new ControlError(
        `endpoint ${name} is the deployment's own: it goes with the deployment (npx serverless remove)`,
      );
    }
    if (await records.remove(kind, name)) return {};
    throw new ControlError(`Could not find ${WORDS[kind]} "${arn(arnPrefix, kind, name)}".`);
  };

  const list = async (kind: Kind, input: unknown): Promise<ReturnType<typeof pageOf>> => {
    const parsed = parse(schemas.listInput, input);
    const own = kind === 'endpoint' ? [ownEndpoint(endpointName)] : [];
    if (kind === 'endpoint' && (parsed.StatusEquals ?? 'InService') !== 'InService') return { page: [] };
    return pageOf([...own, ...(await records.list(kind))], parsed);
  };

  /** What routers need to know of an endpoint, by the configuration it is made from. */
  const routeOf = async (configName: string, arnPrefix: ArnPrefix): Promise<SageMakerRecord['route']> => {
    const { given } = await existing('endpoint-config', configName, arnPrefix);
    const config = parse(schemas.createEndpointConfig, given);
    const [variant] = config.ProductionVariants;
    const model = await existing('model', variant?.ModelName ?? '', arnPrefix);
    const asyncOutput = config.AsyncInferenceConfig?.OutputConfig.S3OutputPath;
    return {
      prefix: prefixBelowModels(containerOf(parse(schemas.createModel, model.given)).ModelDataUrl, options),
      variant: variant?.VariantName ?? '',
      ...(asyncOutput === undefined ? {} : { asyncOutput: asyncOutputOf(asyncOutput, options) }),
    };
  };

  const describeEndpoint = (
    { name, given, createdAtMs, modifiedAtMs, route }: SageMakerRecord,
    prefix: ArnPrefix,
  ) => ({
    EndpointName: name,
    EndpointArn: arn(prefix, 'endpoint', name),
    EndpointConfigName: given['EndpointConfigName'],
    ProductionVariants: [{ VariantName: route?.variant, CurrentWeight: 1, DesiredWeight: 1 }],
    EndpointStatus: 'InService',
    CreationTime: createdAtMs / 1000,
    LastModifiedTime: modifiedAtMs / 1000,
  });

  return {
    async CreateModel(input, prefix) {
      const model = parse(schemas.createModel, input);
      prefixBelowModels(containerOf(model).ModelDataUrl, options);
      return create('model', model, prefix);
    },
    async DescribeModel(input, prefix) {
      const { ModelName } = parse(schemas.modelName, input);
      return describe('model', await existing('model', ModelName, prefix), prefix);
    },
    async ListModels(input, prefix) {
      const { page, ...more } = await list('model', input);
      return { Models: page.map((each) => summary('model', each, prefix)), ...more };
    },
    DeleteModel: (input, prefix) => remove('model', parse(schemas.modelName, input).ModelName, prefix),

    async CreateEndpointConfig(input, prefix) {
      const config = parse(schemas.createEndpointConfig, input);
      if (config.ProductionVariants.length > 1) {
        throw new ControlError(
          'ProductionVariants should be one: calls are not split here; make an endpoint for each instead',
        );
      }
      const [variant] = config.ProductionVariants;
      await existing('model', variant?.ModelName ?? '', prefix);
      const asyncOutput = config.AsyncInferenceConfig?.OutputConfig.S3OutputPath;
      if (asyncOutput !== undefined) asyncOutputOf(asyncOutput, options);
      return create('endpoint-config', config, prefix);
    },
    async DescribeEndpointConfig(input, prefix) {
      const { EndpointConfigName } = parse(schemas.endpointConfigName, input);
      return describe(
        'endpoint-config',
        await existing('endpoint-config', EndpointConfigName, prefix),
        prefix,
      );
    },
    async ListEndpointConfigs(input, prefix) {
      const { page, ...more } = await list('endpoint-config', input);
      return { EndpointConfigs: page.map((each) => summary('endpoint-config', each, prefix)), ...more };
    },
    DeleteEndpointConfig: (input, prefix) =>
      remove('endpoint-config', parse(schemas.endpointConfigName, input).EndpointConfigName, prefix),

    async CreateEndpoint(input, prefix) {
      const endpoint = parse(schemas.createEndpoint, input);
      const route = await routeOf(endpoint.EndpointConfigName, prefix);
      return create('endpoint', endpoint, prefix, route === undefined ? {} : { route });
    },
    async UpdateEndpoint(input, prefix) {
      const endpoint = parse(schemas.createEndpoint, input);
      const { EndpointName, EndpointConfigName } = endpoint;
      if (EndpointName === endpointName) {
        throw new ControlError(
          `endpoint ${endpointName} is the deployment's own, and has no configuration to change`,
        );
      }
      const before = await existing('endpoint', EndpointName, prefix);
      const route = await routeOf(EndpointConfigName, prefix);
      const record = { ...before, given: endpoint, modifiedAtMs: now(), ...(route && { route }) };
      if (!(await records.replace('endpoint', record))) await existing('endpoint', EndpointName, prefix);
      return { EndpointArn: arn(prefix, 'endpoint', EndpointName) };
    },
    async DescribeEndpoint(input, prefix) {
      const { EndpointName } = parse(schemas.endpointName, input);
      return describeEndpoint(await existing('endpoint', EndpointName, prefix), prefix);
    },
    async ListEndpoints(input, prefix) {
      const { page, ...more } = await list('endpoint', input);
      return { Endpoints: page.map((each) => summary('endpoint', each, prefix)), ...more };
    },
    DeleteEndpoint: (input, prefix) =>
      remove('endpoint', parse(schemas.endpointName, input).EndpointName, prefix),
  };
};

/** An item of DynamoDB may have 400 KB. */
const MAX_GIVEN = 100_000;

const WORDS: Readonly<Record<Kind, string>> = {
  model: 'model',
  'endpoint-config': 'endpoint configuration',
  endpoint: 'endpoint',
};
const NAME = {
  model: 'ModelName',
  'endpoint-config': 'EndpointConfigName',
  endpoint: 'EndpointName',
} as const;
const ARN = { model: 'ModelArn', 'endpoint-config': 'EndpointConfigArn', endpoint: 'EndpointArn' } as const;

const arn = (prefix: ArnPrefix, kind: Kind, name: string): string => `${prefix}${kind}/${name}`;

/** It is older than all that were made. */
const ownEndpoint = (name: string): SageMakerRecord => {
  const { prefix, variant } = deployedEndpoint(name);
  return {
    name,
    createdAtMs: 0,
    modifiedAtMs: 0,
    given: { EndpointConfigName: name },
    route: { prefix, variant },
  };
};

const describe = (kind: Kind, { name, createdAtMs, given }: SageMakerRecord, prefix: ArnPrefix): Output => ({
  ...given,
  [ARN[kind]]: arn(prefix, kind, name),
  CreationTime: createdAtMs / 1000,
});

const summary = (
  kind: Kind,
  { name, createdAtMs, modifiedAtMs }: SageMakerRecord,
  prefix: ArnPrefix,
): Output => ({
  [NAME[kind]]: name,
  [ARN[kind]]: arn(prefix, kind, name),
  CreationTime: createdAtMs / 1000,
  ...(kind === 'endpoint' && { LastModifiedTime: modifiedAtMs / 1000, EndpointStatus: 'InService' }),
});

/** The one container of a model, which has to be a multi-model one. */
const containerOf = (model: z.infer<typeof schemas.createModel>): { readonly ModelDataUrl: string } => {
  const containers = [
    ...(model.PrimaryContainer ? [model.PrimaryContainer] : []),
    ...(model.Containers ?? []),
  ];
  const [container] = containers;
  if (container === undefined || containers.length > 1) {
    throw new ControlError(
      `a model here has one container (PrimaryContainer), but this has ${containers.length}`,
    );
  }
  const { Mode = 'SingleModel', ModelDataUrl } = container;
  if (Mode !== 'MultiModel') {
    throw new ControlError(
      `Mode should be MultiModel, as models here are those below a prefix, but is ${JSON.stringify(Mode)}`,
    );
  }
  if (ModelDataUrl === undefined)
    throw new ControlError('ModelDataUrl is missing: the prefix that the models are below');
  return { ModelDataUrl };
};

/** @throws ControlError naming the member, what was expected and what came */
const parse = <Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> => {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ControlError(`${issue?.path.join('.') || 'the request'}: ${issue?.message ?? 'not as expected'}`);
};
