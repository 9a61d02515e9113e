import { encodeState, parseState } from '../scaling/encode-state.ts';
import type { ScalerStore } from '../scaling/scaler-store.ts';
import { dynamodbPlanStore } from './dynamodb-plan-store.ts';
import { IN_WISHES, LISTED, parseModelRow } from './model-item.ts';
import { queryAll } from './query-all.ts';
import { didHold, type Item, type Table } from './table.ts';

/** The scaler's items in the catalog's table. */
export const dynamodbScalerStore = (table: Table): ScalerStore => {
  /** @returns false when the condition does not hold */
  const put = (item: Item, condition?: { text: string; values?: Item }): Promise<boolean> =>
    didHold(
      table.call('PutItem', {
        Item: item,
        ...(condition === undefined
          ? {}
          : { ConditionExpression: condition.text, ExpressionAttributeValues: condition.values }),
      }),
    );

  return {
    ...dynamodbPlanStore(table),

    takeLease: (owner, nowMs, untilMs) =>
      put(
        { pk: { S: 'LEASE' }, holder: { S: owner }, untilMs: { N: String(untilMs) } },
        {
          text: 'attribute_not_exists(pk) OR untilMs <= :now OR holder = :holder',
          values: { ':now': { N: String(nowMs) }, ':holder': { S: owner } },
        },
      ),

    async readState() {
      const text = (await table.call('GetItem', { Key: { pk: { S: 'STATE' } }, ConsistentRead: true }))
        .Item?.['state']?.S;
      return text === undefined ? undefined : parseState(text);
    },

    writeState: (state, expectedEpoch) =>
      put(
        { pk: { S: 'STATE' }, epoch: { N: String(state.epoch) }, state: { S: encodeState(state) } },
        expectedEpoch === 0
          ? { text: 'attribute_not_exists(pk)' }
          : { text: 'epoch = :expected', values: { ':expected': { N: String(expectedEpoch) } } },
      ),

    async writePlan(plan) {
      await put({ pk: { S: 'PLAN' }, plan: { S: JSON.stringify(plan) } });
    },

    async listWishes() {
      const rows = await queryAll(table, {
        IndexName: LISTED,
        KeyConditionExpression: '#listed = :in',
        ExpressionAttributeNames: { '#listed': LISTED },
        ExpressionAttributeValues: { ':in': IN_WISHES },
      });
      return rows.map(parseModelRow);
    },
  };
};
