import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { WorkerCatalog } from '../catalog/worker-catalog.ts';
import { encodePreload, groupKey, parseModels, preloadAttribute } from './group-row.ts';
import { IN_WISHES, LISTED, modelKey } from './model-item.ts';
import { type Item, isConditionFailed, type Table } from './table.ts';

const loadKey = (model: string): string => `LOAD#${model}`;

/** A worker that dies while it loads must not keep the others from it for longer than it could have gone on (380 s). */
const LEASE_MS = 380_000;
const KEPT_FOR_SECONDS = 7 * 86_400;

/** The worker's rows. */
export const dynamodbWorkerCatalog = (table: Table): WorkerCatalog => {
  const read = async (pk: string): Promise<Item> =>
    (await table.call('GetItem', { Key: { pk: { S: pk } }, ConsistentRead: true })).Item ?? {};

  const update = (pk: string, expression: string, values: Item, more: object = {}): Promise<unknown> =>
    table.call('UpdateItem', {
      Key: { pk: { S: pk } },
      UpdateExpression: expression,
      ExpressionAttributeValues: values,
      ...more,
    });

  const findLoad = async (model: string): ReturnType<WorkerCatalog['find']> => {
    const item = await read(loadKey(model));
    const lastMs = number(item['lastMs']);
    const expectedEndMs = number(item['expectedEndMs']);
    if (lastMs === undefined && expectedEndMs === undefined) return undefined;
    return {
      ...(lastMs === undefined ? {} : { lastMs }),
      ...(expectedEndMs === undefined ? {} : { expectedEndMs }),
    };
  };

  return {
    find: findLoad,

    async begin({ model, nowMs, expectedMs }) {
      const values = {
        ':now': { N: String(nowMs) },
        ':end': { N: String(nowMs + expectedMs) },
        ':until': { N: String(nowMs + LEASE_MS) },
        ':expires': { N: String(Math.round(nowMs / 1000) + KEPT_FOR_SECONDS) },
      };
      const condition = { ConditionExpression: 'attribute_not_exists(leaseUntilMs) OR leaseUntilMs < :now' };
      const expression = 'SET expectedEndMs = :end, leaseUntilMs = :until, expiresAt = :expires';
      try {
        await update(loadKey(model), expression, values, condition);
        return undefined;
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        const other = await findLoad(model);
        return { expectedEndMs: other?.expectedEndMs ?? nowMs + expectedMs };
      }
    },

    async end({ model, tookMs }) {
      const values = tookMs === undefined ? {} : { ':took': { N: String(Math.round(tookMs)) } };
      const set = tookMs === undefined ? '' : 'SET lastMs = :took ';
      await table.call('UpdateItem', {
        Key: { pk: { S: loadKey(model) } },
        UpdateExpression: `${set}REMOVE expectedEndMs, leaseUntilMs`,
        ...(tookMs === undefined ? {} : { ExpressionAttributeValues: values }),
      });
    },

    async readPreloads(group) {
      return parseModels(await read(groupKey(group)));
    },

    async reportPreloads(group, version, reports) {
      await update(
        groupKey(group),
        'SET #reports = :reports',
        { ':reports': encodePreload(reports) },
        {
          ExpressionAttributeNames: { '#reports': preloadAttribute(version) },
        },
      );
    },

    async noteBounds(model, { minWorkers, maxWorkers }) {
      const most = maxWorkers === undefined ? '' : ', artifactMaxWorkers = :most';
      await update(modelKey(model), `SET artifactMinWorkers = :least, ${LISTED} = :in${most}`, {
        ':least': { N: String(minWorkers) },
        ':in': IN_WISHES,
        ...(maxWorkers === undefined ? {} : { ':most': { N: String(maxWorkers) } }),
      });
    },

    async noteMeasured(model, { sizeBytes, loadMs, maxWorkers, maxIdleSeconds }) {
      const measured = {
        sizeBytes,
        loadMs,
        artifactMaxWorkers: maxWorkers,
        artifactMaxIdleSeconds: maxIdleSeconds,
      };
      const known = Object.entries(measured).flatMap(([name, value]) =>
        value === undefined ? [] : [{ name, value: { N: String(Math.round(value)) } }],
      );
      await update(
        modelKey(model),
        `SET ${known.map(({ name }) => `${name} = :${name}`).join(', ')}`,
        Object.fromEntries(known.map(({ name, value }) => [`:${name}`, value])),
      );
    },
  };
};

const number = (value: AttributeValue | undefined): number | undefined =>
  value?.N === undefined ? undefined : Number(value.N);
