import type { PlanRow, ScalerStore } from '../scaling/scaler-store.ts';
import { modelKey, parseModelRow } from './model-item.ts';
import type { Item, Table } from './table.ts';

/** BatchGetItem takes at most this many keys. */
const MAX_KEYS = 100;

/** What DynamoDB leaves undone for lack of capacity is asked for again so often. */
const MAX_ROUNDS = 5;

/** What others than the scaler read of its items. */
export const dynamodbPlanStore = (table: Table): Pick<ScalerStore, 'readPlan' | 'readModels'> => ({
  async readPlan() {
    const { Item } = await table.call('GetItem', { Key: { pk: { S: 'PLAN' } }, ConsistentRead: true });
    const text = Item?.['plan']?.S;
    return text === undefined ? undefined : (JSON.parse(text) as PlanRow);
  },

  async readModels(models) {
    const items: Item[] = [];
    for (let start = 0; start < models.length; start += MAX_KEYS) {
      const keys = models.slice(start, start + MAX_KEYS).map((model) => ({ pk: { S: modelKey(model) } }));
      items.push(...(await readBatch(table, keys)));
    }
    return items.map(parseModelRow);
  },
});

/** @throws Error when DynamoDB goes on leaving keys out */
const readBatch = async (table: Table, keys: Item[]): Promise<readonly Item[]> => {
  const items: Item[] = [];
  let left = keys;
  for (let round = 0; round < MAX_ROUNDS && left.length > 0; round++) {
    const { Responses, UnprocessedKeys } = await table.call('BatchGetItem', {
      RequestItems: { [table.name]: { Keys: left } },
    });
    items.push(...(Responses?.[table.name] ?? []));
    left = UnprocessedKeys?.[table.name]?.Keys ?? [];
  }
  if (left.length > 0) {
    throw new Error(`DynamoDB left ${left.length} rows of models out ${MAX_ROUNDS} times: it is throttling`);
  }
  return items;
};
