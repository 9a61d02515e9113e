import { createRequire } from 'node:module';

/** As CloudFormation has them; only what the tests look at. */
export type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties: Properties }>>;
export type Properties = Readonly<Record<string, unknown>>;

type Parameters = Readonly<Record<string, string | number | boolean>>;

const DEFAULTS: Parameters = {
  coldShards: 4,
  hotSlots: 2,
  inferenceMemory: 1769,
  workerBudget: 20,
  alarms: true,
  dashboard: true,
  alarmEmail: '',
};

const NAMES: Readonly<Record<string, string>> = {
  'self:provider.architecture': 'x86_64',
  'self:provider.environment.FUNCTION_PREFIX': 'mme-test-',
  'self:provider.environment.ENDPOINT_NAME': 'mme-test',
  'self:provider.environment.METRICS_NAMESPACE': 'lambda-mme',
};

/** What a file of `deploy/` adds to the template, with these parameters of serverless.yml. */
export const resourcesOf = async (file: string, parameters: Parameters = {}): Promise<Resources> => {
  const given = { ...DEFAULTS, ...parameters };
  const { resources } = createRequire(import.meta.url)(`../../deploy/${file}`) as {
    resources(context: object): Promise<{ Resources: Resources }>;
  };
  const { Resources } = await resources({
    resolveVariable: async (name: string) =>
      name.startsWith('param:') ? given[name.slice('param:'.length)] : NAMES[name],
  });
  return Resources;
};

export const ofType = (resources: Resources, type: string): readonly Properties[] =>
  Object.values(resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties] : []));
