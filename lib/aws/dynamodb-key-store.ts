import type { KeyRecord, KeyStore } from '../auth/key.ts';
import type { Item, Table } from './table.ts';

export const keyKey = (id: string): string => `KEY#${id}`;

/** Keys in the catalog's table, by id. */
export const dynamodbKeyStore = (table: Table): KeyStore => ({
  async find(id) {
    const { Item } = await table.call('GetItem', { Key: { pk: { S: keyKey(id) } } });
    return Item && parseKey(Item);
  },
});

export const parseKey = (item: Item): KeyRecord => ({
  id: item['id']?.S ?? '',
  models: (item['models']?.L ?? []).flatMap(({ S }) => S ?? []),
  role: item['role']?.S === 'manage' ? 'manage' : 'invoke',
  apiKeyHash: item['apiKeyHash']?.S ?? '',
  createdAtMs: Number(item['createdAtMs']?.N ?? 0),
  ...(item['revokedAtMs']?.N === undefined ? {} : { revokedAtMs: Number(item['revokedAtMs'].N) }),
  ...(item['callsPerMinute']?.N === undefined ? {} : { callsPerMinute: Number(item['callsPerMinute'].N) }),
  ...(item['note']?.S === undefined ? {} : { note: item['note'].S }),
});
