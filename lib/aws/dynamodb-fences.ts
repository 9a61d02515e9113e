import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Fence } from '../catalog/routes.ts';
import { type FenceStore, fenceMs } from '../routing/fences.ts';
import { FENCE, ROUTES_KEY } from './dynamodb-catalog.ts';

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;
const MAX_REASON = 200;

/** Fences are attributes of the item that routers read anyway; what they are counted by has rows of its own, which pass away. */
export interface DynamodbFences extends FenceStore {
  /** Forgets everything against a model. */
  lift(model: string): Promise<void>;
}

export const dynamodbFences = (client: DynamoDBClient, tableName: string): DynamodbFences => {
  const count = async (pk: string, expiresAt: number): Promise<number> => {
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: { pk: { S: pk } },
        UpdateExpression: 'ADD happened :one SET expiresAt = :expires',
        ExpressionAttributeValues: { ':one': { N: '1' }, ':expires': { N: String(expiresAt) } },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    return Number(Attributes?.['happened']?.N ?? 1);
  };

  /** Does nothing while there are no routes: what each router knows itself has to do then. */
  const changeRoutes = async (
    expression: string,
    names: Record<string, string>,
    values?: Record<string, AttributeValue>,
  ): Promise<void> => {
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { pk: { S: ROUTES_KEY } },
          ConditionExpression: 'attribute_exists(pk)',
          UpdateExpression: expression,
          ExpressionAttributeNames: names,
          ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  };

  return {
    noteCrash: (model, window) => count(`CRASH#${model}#${window}`, (window + 2) * 600 + HOUR_SECONDS),

    async raise(model, reason, nowMs, past) {
      const level = await count(`FENCE#${model}`, Math.round(nowMs / 1000) + DAY_SECONDS);
      const fence: Fence = { untilMs: nowMs + fenceMs(level), reason: reason.slice(0, MAX_REASON) };
      const removed = past.filter((name) => name !== model).slice(0, 50);
      const removal =
        removed.length === 0 ? '' : ` REMOVE ${removed.map((_, index) => `#past${index}`).join(', ')}`;
      await changeRoutes(
        `SET #fence = :fence${removal}`,
        Object.fromEntries([
          ['#fence', FENCE + model],
          ...removed.map((name, index) => [`#past${index}`, FENCE + name]),
        ]),
        { ':fence': { M: { untilMs: { N: String(fence.untilMs) }, reason: { S: fence.reason } } } },
      );
      return fence;
    },

    async lift(model) {
      const Key = { pk: { S: `FENCE#${model}` } };
      const { Attributes } = await client.send(
        new DeleteItemCommand({ TableName: tableName, Key, ReturnValues: 'ALL_OLD' }),
      );
      if (Attributes !== undefined) await changeRoutes('REMOVE #fence', { '#fence': FENCE + model });
    },
  };
};
