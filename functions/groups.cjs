/**
 * The inference functions: one per group, all of one code. `cold-NN` are shards, `hot-NN` are slots for models
 * that the scaler gives workers of their own. lib/catalog/deployed-groups.ts derives the same names at run time.
 */
const MAX_GROUPS = 40; // CloudFormation takes 500 resources, and each function brings several with it.

module.exports.functions = async ({ resolveVariable }) => {
  const coldShards = parseCount('coldShards', await resolveVariable('param:coldShards'), 1);
  const hotSlots = parseCount('hotSlots', await resolveVariable('param:hotSlots'), 0);
  if (coldShards + hotSlots > MAX_GROUPS) {
    throw new Error(
      `coldShards + hotSlots is ${coldShards + hotSlots}: at most ${MAX_GROUPS} fit one stack, so lower one of them`,
    );
  }

  const memorySize = parseCount('inferenceMemory', await resolveVariable('param:inferenceMemory'), 128);
  const environment = await inferenceEnvironment(resolveVariable);
  const names = [...numbered('cold', coldShards), ...numbered('hot', hotSlots)];
  return Object.fromEntries(names.map((name) => [name, inferenceFunction(name, memorySize, environment)]));
};

const inferenceFunction = (group, memorySize, environment) => ({
  description: `Inference, group ${group}`,
  handler: 'dist/inference/handler.handler',
  role: 'InferenceRole',
  memorySize,
  // SageMaker goes on loading a model for up to 360 s; the rest is for the answer.
  timeout: 380,
  layers: [{ Ref: 'OnnxruntimeLambdaLayer' }],
  environment: { GROUP: group, ...environment },
  package: { patterns: ['dist/inference/*.*js'] },
});

/** What the deployment says of its models, by parameter: a wrong value is found here, and not by the first call. */
const inferenceEnvironment = async (resolveVariable) => {
  const read = async (name) => String((await resolveVariable(`param:${name}`)) ?? '');
  const allowCustomCode = await read('allowCustomCode');
  if (allowCustomCode !== 'true' && allowCustomCode !== 'false') {
    throw new Error(
      `parameter allowCustomCode must be true or false, but is ${JSON.stringify(allowCustomCode)}`,
    );
  }
  return {
    REFRESH_SECONDS: String(parseCount('refreshSeconds', await read('refreshSeconds'), 0)),
    ALLOW_CUSTOM_CODE: allowCustomCode,
    ALLOW_ARTIFACT_WORKERS: String(parseCount('allowArtifactWorkers', await read('allowArtifactWorkers'), 0)),
    WEIGHTS_PREFIXES: await read('weightsPrefixes'),
  };
};

const numbered = (tier, count) =>
  Array.from({ length: count }, (_, index) => `${tier}-${String(index).padStart(2, '0')}`);

const parseCount = (name, value, min) => {
  const count = Number(value);
  if (!Number.isInteger(count) || count < min) {
    throw new Error(
      `parameter ${name} must be a whole number, at least ${min}, but is ${JSON.stringify(value)}`,
    );
  }
  return count;
};
