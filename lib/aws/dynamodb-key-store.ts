import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { KeyRecord, KeyStore } from '../auth/key.ts';
import { IN_KEYS, LISTED } from './model-item.ts';

type Item = Record<string, AttributeValue>;

/** The keys' rows, with what only their owner does. */
export interface KeyAdmin extends KeyStore {
  /** @throws ConditionalCheckFailedException where the id is taken */
  put(record: KeyRecord): Promise<void>;
  list(): Promise<readonly KeyRecord[]>;
  /** @returns false when there is no such key */
  revoke(id: string, nowMs: number): Promise<boolean>;
}

const keyKey = (id: string): AttributeValue => ({ S: `KEY#${id}` });

/** Keys in the catalog's table: by id, and all of them by the index of listed rows. */
export const dynamodbKeyStore = (client: DynamoDBClient, tableName: string): KeyAdmin => ({
  async find(id) {
    const { Item } = await client.send(new GetItemCommand({ TableName: tableName, Key: { pk: keyKey(id) } }));
    return Item && parseKey(Item);
  },

  async put({ id, models, role, apiKeyHash, createdAtMs, callsPerMinute, note }) {
    await client.send(
      new PutItemCommand({
        TableName: tableName,
        ConditionExpression: 'attribute_not_exists(pk)',
        Item: {
          pk: keyKey(id),
          [LISTED]: IN_KEYS as AttributeValue,
          id: { S: id },
          models: { L: models.map((pattern) => ({ S: pattern })) },
          role: { S: role },
          apiKeyHash: { S: apiKeyHash },
          createdAtMs: { N: String(createdAtMs) },
          ...(callsPerMinute === undefined ? {} : { callsPerMinute: { N: String(callsPerMinute) } }),
          ...(note === undefined ? {} : { note: { S: note } }),
        },
      }),
    );
  },

  async list() {
    const records: KeyRecord[] = [];
    let ExclusiveStartKey: Item | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: LISTED,
          KeyConditionExpression: '#listed = :keys',
          ExpressionAttributeNames: { '#listed': LISTED },
          ExpressionAttributeValues: { ':keys': IN_KEYS as AttributeValue },
          ExclusiveStartKey,
        }),
      );
      records.push(...(page.Items ?? []).map(parseKey));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return records.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
  },

  async revoke(id, nowMs) {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { pk: keyKey(id) },
          ConditionExpression: 'attribute_exists(pk)',
          UpdateExpression: 'SET revokedAtMs = if_not_exists(revokedAtMs, :now)',
          ExpressionAttributeValues: { ':now': { N: String(nowMs) } },
        }),
      );
      return true;
    } catch (error) {
      if ((error as Error).name === 'ConditionalCheckFailedException') return false;
      throw error;
    }
  },
});

const parseKey = (item: Item): KeyRecord => ({
  id: item['id']?.S ?? '',
  models: (item['models']?.L ?? []).flatMap(({ S }) => S ?? []),
  role: item['role']?.S === 'manage' ? 'manage' : 'invoke',
  apiKeyHash: item['apiKeyHash']?.S ?? '',
  createdAtMs: Number(item['createdAtMs']?.N ?? 0),
  ...(item['revokedAtMs']?.N === undefined ? {} : { revokedAtMs: Number(item['revokedAtMs'].N) }),
  ...(item['callsPerMinute']?.N === undefined ? {} : { callsPerMinute: Number(item['callsPerMinute'].N) }),
  ...(item['note']?.S === undefined ? {} : { note: item['note'].S }),
});
