import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import type { ModelRow } from '../catalog/model-row.ts';
import { encodeState, parseState } from '../scaling/encode-state.ts';
import type { PlanRow, ScalerStore } from '../scaling/scaler-store.ts';
import { IN_WISHES, LISTED, modelKey, parseModelRow } from './model-item.ts';

type Item = Record<string, AttributeValue>;

/** BatchGetItem takes at most this many keys. */
const MAX_KEYS = 100;

/** What DynamoDB leaves undone for lack of capacity is asked for again so often. */
const MAX_ROUNDS = 5;

/** The scaler's items in the catalog's table. */
export const dynamodbScalerStore = (client: DynamoDBClient, tableName: string): ScalerStore => {
  const read = async (pk: string): Promise<Item | undefined> => {
    const command = new GetItemCommand({
      TableName: tableName,
      Key: { pk: { S: pk } },
      ConsistentRead: true,
    });
    return (await client.send(command)).Item;
  };

  /** @returns false when the condition does not hold */
  const put = async (item: Item, condition?: { text: string; values?: Item }): Promise<boolean> => {
    try {
      await client.send(
        new PutItemCommand({
          TableName: tableName,
          Item: item,
          ...(condition === undefined
            ? {}
            : { ConditionExpression: condition.text, ExpressionAttributeValues: condition.values }),
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };

  return {
    takeLease: (owner, nowMs, untilMs) =>
      put(
        { pk: { S: 'LEASE' }, holder: { S: owner }, untilMs: { N: String(untilMs) } },
        {
          text: 'attribute_not_exists(pk) OR untilMs <= :now OR holder = :holder',
          values: { ':now': { N: String(nowMs) }, ':holder': { S: owner } },
        },
      ),

    async readState() {
      const text = (await read('STATE'))?.['state']?.S;
      return text === undefined ? undefined : parseState(text);
    },

    writeState: (state, expectedEpoch) =>
      put(
        { pk: { S: 'STATE' }, epoch: { N: String(state.epoch) }, state: { S: encodeState(state) } },
        expectedEpoch === 0
          ? { text: 'attribute_not_exists(pk)' }
          : { text: 'epoch = :expected', values: { ':expected': { N: String(expectedEpoch) } } },
      ),

    async readPlan() {
      const text = (await read('PLAN'))?.['plan']?.S;
      return text === undefined ? undefined : (JSON.parse(text) as PlanRow);
    },

    async writePlan(plan) {
      await put({ pk: { S: 'PLAN' }, plan: { S: JSON.stringify(plan) } });
    },

    async readModels(models) {
      const rows: ModelRow[] = [];
      for (let start = 0; start < models.length; start += MAX_KEYS) {
        const keys = models.slice(start, start + MAX_KEYS).map((model) => ({ pk: { S: modelKey(model) } }));
        rows.push(...(await readBatch(client, tableName, keys)).map(parseModelRow));
      }
      return rows;
    },

    async listWishes() {
      const rows: ModelRow[] = [];
      let ExclusiveStartKey: Item | undefined;
      do {
        const page = await client.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: LISTED,
            KeyConditionExpression: '#listed = :in',
            ExpressionAttributeNames: { '#listed': LISTED },
            ExpressionAttributeValues: { ':in': IN_WISHES as AttributeValue },
            ExclusiveStartKey,
          }),
        );
        rows.push(...(page.Items ?? []).map(parseModelRow));
        ExclusiveStartKey = page.LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined);
      return rows;
    },
  };
};

/** @throws Error when DynamoDB goes on leaving keys out */
const readBatch = async (
  client: DynamoDBClient,
  tableName: string,
  keys: Item[],
): Promise<readonly Item[]> => {
  const items: Item[] = [];
  let left = keys;
  for (let round = 0; round < MAX_ROUNDS && left.length > 0; round++) {
    const { Responses, UnprocessedKeys } = await client.send(
      new BatchGetItemCommand({ RequestItems: { [tableName]: { Keys: left } } }),
    );
    items.push(...(Responses?.[tableName] ?? []));
    left = UnprocessedKeys?.[tableName]?.Keys ?? [];
  }
  if (left.length > 0) {
    throw new Error(`DynamoDB left ${left.length} rows of models out ${MAX_ROUNDS} times: it is throttling`);
  }
  return items;
};
