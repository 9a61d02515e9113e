import type { Permits } from '../auth/rate-limit.ts';
import type { Table } from './table.ts';

/** A row per key and minute, which DynamoDB deletes by itself some time after. */
export const dynamodbPermits = (table: Table): Permits => ({
  async take(keyId, minute, count, limit) {
    const { Attributes } = await table.call('UpdateItem', {
      Key: { pk: { S: `RATE#${keyId}#${minute}` } },
      UpdateExpression: 'ADD taken :count SET expiresAt = :expires',
      ExpressionAttributeValues: {
        ':count': { N: String(count) },
        ':expires': { N: String((minute + KEPT_MINUTES) * 60) },
      },
      ReturnValues: 'UPDATED_NEW',
    });
    const before = Number(Attributes?.['taken']?.N ?? 0) - count;
    return Math.max(0, Math.min(count, limit - before));
  },
});

const KEPT_MINUTES = 10;
