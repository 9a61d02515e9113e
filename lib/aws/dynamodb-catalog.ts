import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Catalog, Group, GroupRow } from '../catalog/catalog.ts';
import type { Routes, Target } from '../catalog/routes.ts';
import { integer, text } from './attributes.ts';
import { dynamodbRoutes } from './dynamodb-routes.ts';
import { groupKey, parseModels, parsePreloads, preloadAttribute } from './group-row.ts';
import { ROUTES_KEY } from './routes-row.ts';
import { didHold, type Item, type Table } from './table.ts';

/** The catalog in one DynamoDB table with the string key `pk`. Never scanned. */
export const dynamodbCatalog = (table: Table): Catalog => ({
  ...dynamodbRoutes(table),

  async writeRoutes(routes, expectedEpoch) {
    const condition =
      expectedEpoch === undefined
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : {
            ConditionExpression: 'epoch = :expected',
            ExpressionAttributeValues: { ':expected': { N: String(expectedEpoch) } },
          };
    return didHold(table.call('PutItem', { Item: encodeRoutes(routes), ...condition }));
  },

  async listGroups(names) {
    if (names.length === 0) return [];
    const Keys = names.map((name) => ({ pk: { S: groupKey(name) } }));
    const { Responses, UnprocessedKeys } = await table.call('BatchGetItem', {
      RequestItems: { [table.name]: { Keys } },
    });
    if (UnprocessedKeys && Object.keys(UnprocessedKeys).length > 0) {
      throw new Error('DynamoDB returned only a part of the group rows: it is throttling; try again');
    }
    return (Responses?.[table.name] ?? []).map(parseGroup);
  },

  async putGroup(group) {
    const { pk, ...attributes } = encodeGroup(group);
    const names = Object.keys(attributes);
    await table.call('UpdateItem', {
      Key: { pk },
      UpdateExpression: `SET ${names.map((_, index) => `#${index} = :${index}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#${index}`, name])),
      ExpressionAttributeValues: Object.fromEntries(
        Object.values(attributes).map((value, index) => [`:${index}`, value]),
      ),
    });
  },

  async forgetPreloads(group, versions) {
    if (versions.length === 0) return;
    const names = versions.map(preloadAttribute);
    await table.call('UpdateItem', {
      Key: { pk: { S: groupKey(group) } },
      UpdateExpression: `REMOVE ${names.map((_, index) => `#${index}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#${index}`, name])),
    });
  },
});

const encodeRoutes = ({ epoch, coldGroups, hot }: Routes): Item => ({
  pk: { S: ROUTES_KEY },
  epoch: { N: String(epoch) },
  coldGroups: { L: coldGroups.map((name) => ({ S: name })) },
  hot: { M: Object.fromEntries([...hot].map(([model, target]) => [model, { M: encodeTarget(target) }])) },
});

const encodeTarget = ({ functionName, qualifier }: Target): Item => ({
  functionName: { S: functionName },
  qualifier: { S: qualifier },
});

const encodeGroup = ({
  name,
  tier,
  functionName,
  workers,
  models,
}: Group): Item & { readonly pk: AttributeValue } => ({
  pk: { S: groupKey(name) },
  models: { L: models.map((model) => ({ S: model })) },
  name: { S: name },
  tier: { S: tier },
  functionName: { S: functionName },
  workers: { N: String(workers) },
});

const parseGroup = (item: Item): GroupRow => ({
  models: parseModels(item),
  preloads: parsePreloads(item),
  name: text(item['name'], 'name'),
  tier: text(item['tier'], 'tier') === 'hot' ? 'hot' : 'cold',
  functionName: text(item['functionName'], 'functionName'),
  workers: integer(item['workers'], 'workers'),
});
