import { type FunctionConfig, functionArn } from './function-config.ts';
import { LambdaError } from './lambda-error.ts';

/** What GetFunctionConfiguration gives, as far as it is true here. */
export const describeFunction = (config: FunctionConfig, version: string): object => ({
  FunctionName: config.name,
  FunctionArn: functionArn(config, version === '$LATEST' ? undefined : version),
  Version: version,
  Runtime: `nodejs${process.versions.node.split('.')[0]}.x`,
  Handler: config.handler,
  MemorySize: config.memorySizeMb,
  Timeout: config.timeoutSeconds,
  EphemeralStorage: { Size: config.ephemeralStorageMb },
  Environment: { Variables: config.environment },
  PackageType: 'Zip',
  State: 'Active',
  LastUpdateStatus: 'Successful',
});

export const describeVersions = (config: FunctionConfig): readonly object[] =>
  ['$LATEST', ...config.versions].map((version) => ({
    ...describeFunction(config, version),
    FunctionArn: functionArn(config, version),
  }));

export const describeAliases = (config: FunctionConfig): readonly object[] =>
  Object.keys(config.aliases).map((name) => describeAlias(config, name));

/** @throws LambdaError ResourceNotFoundException. */
export const describeAlias = (config: FunctionConfig, name: string): object => {
  const version = config.aliases[name];
  const arn = functionArn(config, name);
  if (version === undefined) {
    throw new LambdaError('ResourceNotFoundException', 404, `Alias not found: ${arn}`);
  }
  return { Name: name, FunctionVersion: version, AliasArn: arn };
};
