import type { Fence } from '../catalog/routes.ts';
import { type FenceStore, fenceMs } from '../routing/fences.ts';
import { changeRoutes, fenceKey } from './fence-rows.ts';
import { FENCE } from './routes-row.ts';
import type { Table } from './table.ts';

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;
const MAX_REASON = 200;

/** Fences are attributes of the item that routers read anyway; what they are counted by has rows of its own, which pass away. */
export const dynamodbFences = (table: Table): FenceStore => {
  const count = async (pk: string, expiresAt: number): Promise<number> => {
    const { Attributes } = await table.call('UpdateItem', {
      Key: { pk: { S: pk } },
      UpdateExpression: 'ADD happened :one SET expiresAt = :expires',
      ExpressionAttributeValues: { ':one': { N: '1' }, ':expires': { N: String(expiresAt) } },
      ReturnValues: 'UPDATED_NEW',
    });
    return Number(Attributes?.['happened']?.N ?? 1);
  };

  return {
    noteCrash: (model, window) => count(`CRASH#${model}#${window}`, (window + 2) * 600 + HOUR_SECONDS),

    async raise(model, reason, nowMs, past) {
      const level = await count(fenceKey(model), Math.round(nowMs / 1000) + DAY_SECONDS);
      const fence: Fence = { untilMs: nowMs + fenceMs(level), reason: reason.slice(0, MAX_REASON) };
      const removed = past.filter((name) => name !== model).slice(0, 50);
      const removal =
        removed.length === 0 ? '' : ` REMOVE ${removed.map((_, index) => `#past${index}`).join(', ')}`;
      await changeRoutes(
        table,
        `SET #fence = :fence${removal}`,
        Object.fromEntries([
          ['#fence', FENCE + model],
          ...removed.map((name, index) => [`#past${index}`, FENCE + name]),
        ]),
        { ':fence': { M: { untilMs: { N: String(fence.untilMs) }, reason: { S: fence.reason } } } },
      );
      return fence;
    },
  };
};
