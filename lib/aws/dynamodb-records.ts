import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { Kind, SageMakerRecord, SageMakerRecords } from '../sagemaker/records.ts';
import { LISTED } from './model-item.ts';

type Item = Record<string, AttributeValue>;

const PREFIX: Readonly<Record<Kind, string>> = {
  model: 'SAGEMAKER-MODEL#',
  'endpoint-config': 'ENDPOINT-CONFIG#',
  endpoint: 'ENDPOINT#',
};

/** What SageMaker's control plane keeps, as rows of the catalog's table. */
export const dynamodbRecords = (client: DynamoDBClient, tableName: string): SageMakerRecords => {
  const keyOf = (kind: Kind, name: string): Item => ({ pk: { S: PREFIX[kind] + name } });

  const put = (kind: Kind, record: SageMakerRecord, condition: string): Promise<boolean> =>
    asked(() =>
      client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: { ...keyOf(kind, record.name), ...encode(kind, record) },
          ConditionExpression: condition,
        }),
      ),
    );

  return {
    async find(kind, name) {
      const { Item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: keyOf(kind, name), ConsistentRead: true }),
      );
      return Item && parse(Item);
    },
    create: (kind, record) => put(kind, record, 'attribute_not_exists(pk)'),
    replace: (kind, record) => put(kind, record, 'attribute_exists(pk)'),
    remove: (kind, name) =>
      asked(() =>
        client.send(
          new DeleteItemCommand({
            TableName: tableName,
            Key: keyOf(kind, name),
            ConditionExpression: 'attribute_exists(pk)',
          }),
        ),
      ),
    async list(kind) {
      const found: SageMakerRecord[] = [];
      let ExclusiveStartKey: Item | undefined;
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: LISTED,
            KeyConditionExpression: '#listed = :kind',
            ExpressionAttributeNames: { '#listed': LISTED },
            ExpressionAttributeValues: { ':kind': { S: kind } },
            ExclusiveStartKey,
          }),
        );
        found.push(...(page.Items ?? []).map(parse));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined);
      return found;
    },
  };
};

/** @returns whether the condition held */
const asked = async (write: () => Promise<unknown>): Promise<boolean> => {
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
};

/** Routers read the attributes of `route` (dynamodb-endpoint-store). */
const encode = (kind: Kind, { name, createdAtMs, modifiedAtMs, given, route }: SageMakerRecord): Item => ({
  [LISTED]: { S: kind },
  name: { S: name },
  createdAtMs: { N: String(createdAtMs) },
  modifiedAtMs: { N: String(modifiedAtMs) },
  given: { S: JSON.stringify(given) },
  ...Object.fromEntries(Object.entries(route ?? {}).map(([key, value]) => [key, { S: value }])),
});

const parse = (item: Item): SageMakerRecord => {
  const text = (name: string): string => item[name]?.S ?? '';
  const asyncOutput = item['asyncOutput']?.S;
  return {
    name: text('name'),
    createdAtMs: Number(item['createdAtMs']?.N ?? 0),
    modifiedAtMs: Number(item['modifiedAtMs']?.N ?? 0),
    given: JSON.parse(text('given') || '{}') as SageMakerRecord['given'],
    ...(item['variant'] === undefined
      ? {}
      : {
          route: {
            prefix: text('prefix'),
            variant: text('variant'),
            ...(asyncOutput === undefined ? {} : { asyncOutput }),
          },
        }),
  };
};
