import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Catalog, Group, GroupRow } from '../catalog/catalog.ts';
import type { Fence, Routes, Target } from '../catalog/routes.ts';

import { groupKey, parseModels, parsePreloads, preloadAttribute } from './group-row.ts';

type Item = Record<string, AttributeValue>;

export const ROUTES_KEY = 'ROUTES';

/** Begins the names of the attributes that fence models off. A write of the routes takes them away; who still crashes is fenced again. */
export const FENCE = 'fence#';

/** Short limits: a router serves from what it last knew, so a slow table must not become a slow answer. */
export const createDynamoDBClient = (): DynamoDBClient =>
  new DynamoDBClient({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 500, requestTimeout: 1000, throwOnRequestTimeout: true },
  });

/** The catalog in one DynamoDB table with the string key `pk`. Never scanned. */
export const dynamodbCatalog = (client: DynamoDBClient, tableName: string): Catalog => ({
  async readRoutes() {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: { pk: { S: ROUTES_KEY } } }),
    );
    return Item && parseRoutes(Item);
  },

  async writeRoutes(routes, expectedEpoch) {
    const condition =
      expectedEpoch === undefined
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : {
            ConditionExpression: 'epoch = :expected',
            ExpressionAttributeValues: { ':expected': { N: String(expectedEpoch) } },
          };
    try {
      await client.send(
        new PutItemCommand({ TableName: tableName, Item: encodeRoutes(routes), ...condition }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  },

  async listGroups(names) {
    if (names.length === 0) return [];
    const Keys = names.map((name) => ({ pk: { S: groupKey(name) } }));
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys } } }),
    );
    if (UnprocessedKeys && Object.keys(UnprocessedKeys).length > 0) {
      throw new Error('DynamoDB returned only a part of the group rows: it is throttling; try again');
    }
    return (Responses?.[tableName] ?? []).map(parseGroup);
  },

  async putGroup(group) {
    const { pk, ...attributes } = encodeGroup(group);
    const names = Object.keys(attributes);
    await client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { pk },
        UpdateExpression: `SET ${names.map((_, index) => `#${index} = :${index}`).join(', ')}`,
        ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#${index}`, name])),
        ExpressionAttributeValues: Object.fromEntries(
          Object.values(attributes).map((value, index) => [`:${index}`, value]),
        ),
      }),
    );
  },

  async forgetPreloads(group, versions) {
    if (versions.length === 0) return;
    await client.send(removeAttributes(tableName, groupKey(group), versions.map(preloadAttribute)));
  },
});

const removeAttributes = (tableName: string, pk: string, names: readonly string[]): UpdateItemCommand =>
  new UpdateItemCommand({
    TableName: tableName,
    Key: { pk: { S: pk } },
    UpdateExpression: `REMOVE ${names.map((_, index) => `#${index}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#${index}`, name])),
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

const parseRoutes = (item: Item): Routes => {
  const coldGroups = (item['coldGroups']?.L ?? []).map((name) => text(name, 'coldGroups'));
  if (coldGroups.length === 0)
    throw new Error('the ROUTES item names no cold group: the scaler must rewrite it');
  const hot = Object.entries(item['hot']?.M ?? {}).map(
    ([model, value]) => [model, parseTarget(value.M ?? {})] as const,
  );
  const fences = Object.entries(item).flatMap(([name, value]) =>
    name.startsWith(FENCE) ? [[name.slice(FENCE.length), parseFence(value.M ?? {})] as const] : [],
  );
  return {
    epoch: integer(item['epoch'], 'epoch'),
    coldGroups,
    hot: new Map(hot),
    ...(fences.length === 0 ? {} : { fences: new Map(fences) }),
  };
};

const parseFence = (item: Item): Fence => ({
  untilMs: integer(item['untilMs'], 'untilMs'),
  reason: text(item['reason'], 'reason'),
});

const parseTarget = (item: Item): Target => ({
  functionName: text(item['functionName'], 'functionName'),
  qualifier: text(item['qualifier'], 'qualifier'),
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

const text = (value: AttributeValue | undefined, attribute: string): string => {
  if (value?.S === undefined) throw new Error(`catalog item: attribute ${attribute} should be a string`);
  return value.S;
};

const integer = (value: AttributeValue | undefined, attribute: string): number => {
  const number = Number(value?.N);
  if (!Number.isInteger(number))
    throw new Error(`catalog item: attribute ${attribute} should be a whole number`);
  return number;
};
