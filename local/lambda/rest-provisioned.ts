import { describeProvisioned, listProvisioned } from './describe-provisioned.ts';
import { conflict, invalidParameter, LambdaError } from './lambda-error.ts';
import type { Provisioned } from './provisioned.ts';
import type { RestApiOptions } from './rest-api.ts';
import {
  type Answer,
  type Asked,
  json,
  noContent,
  type Operation,
  operation,
  path,
  readObject,
} from './rest-route.ts';

/** Provisioned concurrency, of a published version or of an alias. */
export const provisionedOperations = ({ functions, account }: RestApiOptions): readonly Operation[] => {
  const find = ({ name, qualifier }: Asked) => {
    if (qualifier === undefined) throw invalidParameter('Qualifier is required');
    const found = functions.find(name, qualifier);
    if (found.version === '$LATEST') {
      throw invalidParameter(
        'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
      );
    }
    return { provisioned: found.pool.provisioned, version: found.version, qualifier };
  };

  const put = async (asked: Asked): Promise<Answer> => {
    const body = await readObject(asked.request);
    const { provisioned, version, qualifier } = find(asked);
    const count = parseCount(body['ProvisionedConcurrentExecutions']);
    checkFree(provisioned, version, qualifier);
    const claimed = provisioned.get(qualifier)?.allocation.claimed ?? 0;
    account.checkProvisioned(asked.name, count, claimed);
    const { lastModifiedMs, ...status } = provisioned.put(qualifier, version, count);
    return json(describeProvisioned(status, lastModifiedMs), 202);
  };

  const get = (asked: Asked): Answer => {
    const { provisioned, qualifier } = find(asked);
    const config = provisioned.get(qualifier);
    if (config === undefined) {
      throw new LambdaError(
        'ProvisionedConcurrencyConfigNotFoundException',
        404,
        'No Provisioned Concurrency Config found for this function',
      );
    }
    return json(describeProvisioned(config.allocation.status, config.lastModifiedMs));
  };

  const list = ({ name, search }: Asked): Answer => {
    const { config, pool } = functions.find(name);
    const maxItems = search.get('MaxItems');
    return json(
      listProvisioned(config, pool.provisioned.configs, {
        maxItems: maxItems === null ? undefined : Number(maxItems),
        marker: search.get('Marker') ?? undefined,
      }),
    );
  };

  const remove = (asked: Asked): Answer => {
    const { provisioned, qualifier } = find(asked);
    provisioned.delete(qualifier);
    return noContent;
  };

  const where = path('2019-09-30', '/provisioned-concurrency');
  return [
    operation('PUT', where, put),
    operation('GET', where, (asked) => (asked.search.get('List') === 'ALL' ? list(asked) : get(asked))),
    operation('DELETE', where, remove),
  ];
};

const parseCount = (count: unknown): number => {
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1) return count;
  throw invalidParameter(
    `ProvisionedConcurrentExecutions should be a whole number of at least 1, but is ${String(count)}`,
  );
};

/** A version has one configuration: its own, or that of one alias. */
const checkFree = (provisioned: Provisioned, version: string, qualifier: string): void => {
  const other = provisioned.forVersion(version);
  if (other === undefined || other.qualifier === qualifier) return;
  throw conflict(
    qualifier === version
      ? `Version ${version} is pointed to by a Provisioned Concurrency alias: ${other.qualifier}`
      : `Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version: ${version} has it on ${other.qualifier}`,
  );
};
