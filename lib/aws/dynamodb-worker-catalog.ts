import type { WorkerCatalog } from '../catalog/worker-catalog.ts';
import { type Attribute, encodePreload, groupKey, parseModels, preloadAttribute } from './group-row.ts';
import { IN_WISHES, LISTED, modelKey } from './model-item.ts';
import { type AwsEnvironment, createSignedRequests, readText } from './signed-requests.ts';

type Item = Readonly<Record<string, Attribute>>;

const loadKey = (model: string): string => `LOAD#${model}`;

/** A worker that dies while it loads must not keep the others from it for longer than it could have gone on (380 s). */
const LEASE_MS = 380_000;
const KEPT_FOR_SECONDS = 7 * 86_400;
const IDLE_MS = 1000;

/** DynamoDB says no to a condition; everything else is a failure. */
class ConditionFailed extends Error {}

/** The worker's rows, by plain signed requests: see `createSignedRequests`. */
export const dynamodbWorkerCatalog = (environment: AwsEnvironment, tableName: string): WorkerCatalog => {
  const requests = createSignedRequests({ service: 'dynamodb', environment, idleMs: IDLE_MS });

  const call = async (action: string, input: object): Promise<{ readonly Item?: Item }> => {
    const response = await requests.send({
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${action}`,
      },
      body: JSON.stringify({ TableName: tableName, ...input }),
    });
    const text = await readText(response);
    if (response.statusCode === 200) return JSON.parse(text) as { readonly Item?: Item };
    if (text.includes('ConditionalCheckFailedException')) throw new ConditionFailed(text);
    throw new Error(`DynamoDB answered ${response.statusCode} to ${action}: ${text.slice(0, 300)}`);
  };

  const read = async (pk: string): Promise<Item> =>
    (await call('GetItem', { Key: { pk: { S: pk } }, ConsistentRead: true })).Item ?? {};

  const update = (pk: string, expression: string, values: Item, more: object = {}): Promise<unknown> =>
    call('UpdateItem', {
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
        if (!(error instanceof ConditionFailed)) throw error;
        const other = await findLoad(model);
        return { expectedEndMs: other?.expectedEndMs ?? nowMs + expectedMs };
      }
    },

    async end({ model, tookMs }) {
      const values = tookMs === undefined ? {} : { ':took': { N: String(Math.round(tookMs)) } };
      const set = tookMs === undefined ? '' : 'SET lastMs = :took ';
      await call('UpdateItem', {
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

const number = (value: Attribute | undefined): number | undefined =>
  value?.N === undefined ? undefined : Number(value.N);
