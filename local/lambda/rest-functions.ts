import { describeAlias, describeAliases, describeFunction, describeVersions } from './describe-function.ts';
import type { FunctionConfig } from './function-config.ts';
import { conflict, invalidParameter } from './lambda-error.ts';
import type { Provisioned } from './provisioned.ts';
import type { RestApiOptions } from './rest-api.ts';
import { type Answer, type Asked, json, type Operation, operation, path, readObject } from './rest-route.ts';

const VERSION = '2015-03-31';

/** What one needs to look around, and to point an alias elsewhere. */
export const functionOperations = ({ functions, account }: RestApiOptions): readonly Operation[] => {
  const getFunction = ({ name, qualifier }: Asked): Answer => {
    const reserved = account.reservedOf(name);
    const Configuration = describe(functions.find(name, qualifier));
    return json({
      Configuration,
      ...(reserved !== undefined && { Concurrency: { ReservedConcurrentExecutions: reserved } }),
    });
  };

  const updateAlias = async ({ name, part: alias, request }: Asked): Promise<Answer> => {
    const { FunctionVersion: version } = await readObject(request);
    const { config, pool } = functions.find(name);
    const before = describeAlias(config, alias);
    if (version === undefined) return json(before);
    if (typeof version !== 'string') throw invalidParameter('FunctionVersion should be text');
    checkMove(pool.provisioned, alias, version);
    return json(describeAlias(functions.pointAlias(name, alias, version), alias));
  };

  return [
    operation('GET', path(VERSION, '/configuration'), ({ name, qualifier }) =>
      json(describe(functions.find(name, qualifier))),
    ),
    operation('GET', path(VERSION, '/aliases'), ({ name }) =>
      json({ Aliases: describeAliases(functions.find(name).config) }),
    ),
    operation('GET', path(VERSION, '/aliases/([^/]+)'), ({ name, part }) =>
      json(describeAlias(functions.find(name).config, part)),
    ),
    operation('PUT', path(VERSION, '/aliases/([^/]+)'), updateAlias),
    operation('GET', path(VERSION, '/versions'), ({ name }) =>
      json({ Versions: describeVersions(functions.find(name).config) }),
    ),
    operation('GET', path(VERSION, ''), getFunction, 'get-function'),
    operation('GET', /^\/2015-03-31\/functions\/?$/, () =>
      json({ Functions: functions.all.map(({ config }) => describeFunction(config, '$LATEST')) }),
    ),
  ];
};

/** An alias that has provisioned concurrency takes it along, unless the version has some already. */
const checkMove = (provisioned: Provisioned, alias: string, version: string): void => {
  if (provisioned.get(alias) === undefined) return;
  if (version === '$LATEST') {
    throw invalidParameter('An alias with Provisioned Concurrency should point to a published version');
  }
  const other = provisioned.forVersion(version);
  if (other === undefined || other.qualifier === alias) return;
  throw conflict(`Version ${version} has Provisioned Concurrency configured on ${other.qualifier}`);
};

const describe = ({ config, version }: { config: FunctionConfig; version: string }): object =>
  describeFunction(config, version);
