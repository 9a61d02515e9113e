import type { KeyRecord, KeyStore } from '../auth/key.ts';
import { dynamodbKeyStore, keyKey, parseKey } from './dynamodb-key-store.ts';
import { IN_KEYS, LISTED } from './model-item.ts';
import { queryAll } from './query-all.ts';
import { didHold, type Table } from './table.ts';

/** The keys' rows, with what only their owner does. */
export interface KeyAdmin extends KeyStore {
  /** @throws Error named ConditionalCheckFailedException where the id is taken */
  put(record: KeyRecord): Promise<void>;
  list(): Promise<readonly KeyRecord[]>;
  /** @returns false when there is no such key */
  revoke(id: string, nowMs: number): Promise<boolean>;
}

/** Keys by id, and all of them by the index of listed rows. */
export const dynamodbKeyAdmin = (table: Table): KeyAdmin => ({
  ...dynamodbKeyStore(table),

  async put({ id, models, role, apiKeyHash, createdAtMs, callsPerMinute, note }) {
    await table.call('PutItem', {
      ConditionExpression: 'attribute_not_exists(pk)',
      Item: {
        pk: { S: keyKey(id) },
        [LISTED]: IN_KEYS,
        id: { S: id },
        models: { L: models.map((pattern) => ({ S: pattern })) },
        role: { S: role },
        apiKeyHash: { S: apiKeyHash },
        createdAtMs: { N: String(createdAtMs) },
        ...(callsPerMinute === undefined ? {} : { callsPerMinute: { N: String(callsPerMinute) } }),
        ...(note === undefined ? {} : { note: { S: note } }),
      },
    });
  },

  async list() {
    const rows = await queryAll(table, {
      IndexName: LISTED,
      KeyConditionExpression: '#listed = :keys',
      ExpressionAttributeNames: { '#listed': LISTED },
      ExpressionAttributeValues: { ':keys': IN_KEYS },
    });
    return rows.map(parseKey).toSorted((a, b) => a.createdAtMs - b.createdAtMs);
  },

  revoke: (id, nowMs) =>
    didHold(
      table.call('UpdateItem', {
        Key: { pk: { S: keyKey(id) } },
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression: 'SET revokedAtMs = if_not_exists(revokedAtMs, :now)',
        ExpressionAttributeValues: { ':now': { N: String(nowMs) } },
      }),
    ),
});
