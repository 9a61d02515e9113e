import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamodbCatalog } from '../../lib/aws/dynamodb-catalog.ts';
import { dynamodbEndpointStore } from '../../lib/aws/dynamodb-endpoint-store.ts';
import { dynamodbFences } from '../../lib/aws/dynamodb-fences.ts';
import { dynamodbKeyAdmin } from '../../lib/aws/dynamodb-key-admin.ts';
import { dynamodbLiftFence } from '../../lib/aws/dynamodb-lift-fence.ts';
import { dynamodbModelRows } from '../../lib/aws/dynamodb-model-rows.ts';
import { dynamodbObjectNotes } from '../../lib/aws/dynamodb-object-notes.ts';
import { dynamodbPermits } from '../../lib/aws/dynamodb-permits.ts';
import { dynamodbRecords } from '../../lib/aws/dynamodb-records.ts';
import { dynamodbScalerStore } from '../../lib/aws/dynamodb-scaler-store.ts';
import { dynamodbWorkerCatalog } from '../../lib/aws/dynamodb-worker-catalog.ts';
import { modelKey } from '../../lib/aws/model-item.ts';
import { signedTable } from '../../lib/aws/signed-table.ts';
import type { Table } from '../../lib/aws/table.ts';
import { hasWish, type ModelRow } from '../../lib/catalog/model-row.ts';
import { type DynamoDBService, openDynamoDB } from '../../local/services/dynamodb.ts';
import { ensureTable } from '../../local/services/dynamodb-tables.ts';
import { memoryCatalog } from '../fakes/memory-catalog.ts';
import { memoryScalerStore } from '../fakes/memory-scaler-store.ts';
import { memoryWorkerCatalog } from '../fakes/memory-worker-catalog.ts';
import { catalogContract } from './catalog.contract.ts';
import { scalerStoreContract } from './scaler-store.contract.ts';
import { workerCatalogContract } from './worker-catalog.contract.ts';

let directory: string;
let service: DynamoDBService;
let server: Server;
let client: DynamoDBClient;
let tables = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'catalog-'));
  service = await openDynamoDB(directory);
  server = createServer(service.handle);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  client = new DynamoDBClient({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});

afterAll(async () => {
  client.destroy();
  server.closeAllConnections();
  server.close();
  await service.close();
  await rm(directory, { recursive: true });
});

const createTable = async (): Promise<Table> => signedTable(environment(), await createTableNamed());

const createTableNamed = async (): Promise<string> => {
  const TableName = `catalog-${tables++}`;
  await ensureTable(client, {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'listed', AttributeType: 'S' },
    ],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'listed',
        KeySchema: [{ AttributeName: 'listed', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
      },
    ],
  });
  return TableName;
};

catalogContract('in memory', async () => memoryCatalog());
catalogContract('DynamoDB', async () => dynamodbCatalog(await createTable()));

const environment = () => ({
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
});

workerCatalogContract('in memory', async () => {
  const groups = new Map<string, readonly string[]>();
  const catalog = memoryWorkerCatalog(groups);
  return { catalog, putModels: async (group, models) => void groups.set(group, models) };
});
workerCatalogContract('DynamoDB', async () => {
  const table = await createTable();
  return {
    catalog: dynamodbWorkerCatalog(table),
    putModels: (name, models) =>
      dynamodbCatalog(table).putGroup({ name, tier: 'hot', functionName: name, workers: 1, models }),
  };
});

scalerStoreContract('in memory', async () => {
  const store = memoryScalerStore();
  return { store, putModel: async (row) => void store.rows.set(row.model, row) };
});
scalerStoreContract('DynamoDB', async () => {
  const table = await createTable();
  return { store: dynamodbScalerStore(table), putModel: (row) => putModel(table.name, row) };
});

/** As the management of models writes it. */
const putModel = async (
  TableName: string,
  { model, pinned, isolated, ...numbers }: ModelRow,
): Promise<void> => {
  const flags = Object.entries({ pinned, isolated }).filter(([, value]) => value !== undefined);
  const hasWishes = pinned === true || (numbers.minWorkers ?? 0) > 0;
  await client.send(
    new PutItemCommand({
      TableName,
      Item: {
        pk: { S: modelKey(model) },
        ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, { N: String(value) }])),
        ...Object.fromEntries(flags.map(([name, value]) => [name, { BOOL: value === true }])),
        ...(hasWishes ? { listed: { S: 'wish' } } : {}),
      },
    }),
  );
};

describe("a model's row", () => {
  it('has what its artifact asks for, unless the owner says otherwise; and what workers measured', async () => {
    const table = await createTable();
    const worker = dynamodbWorkerCatalog(table);
    const store = dynamodbScalerStore(table);
    await worker.noteBounds('m', { minWorkers: 2, maxWorkers: 5 });
    await worker.noteMeasured('m', { sizeBytes: 10.4, loadMs: 99.6, maxIdleSeconds: 400 });
    expect(await store.listWishes()).toEqual([
      { model: 'm', minWorkers: 2, maxWorkers: 5, maxIdleSeconds: 400, sizeBytes: 10, loadMs: 100 },
    ]);

    await worker.noteBounds('m', { minWorkers: 0, maxWorkers: undefined });

    expect((await store.listWishes()).filter(hasWish)).toEqual([]);
  });
});

describe("a group's row", () => {
  it('keeps what its workers have said, by version, when the scaler writes it again', async () => {
    const table = await createTable();
    const [scaler, worker] = [dynamodbCatalog(table), dynamodbWorkerCatalog(table)];
    const group = { name: 'hot-00', tier: 'hot' as const, functionName: 'f', workers: 1, models: ['a'] };
    await scaler.putGroup(group);
    await worker.reportPreloads('hot-00', '7', [{ model: 'a', tookMs: 12 }]);
    await worker.reportPreloads('hot-00', '8', [{ model: 'a', error: 'no such model', tookMs: 1 }]);

    await scaler.putGroup({ ...group, workers: 2 });

    const preloads = new Map([
      ['7', [{ model: 'a', tookMs: 12 }]],
      ['8', [{ model: 'a', error: 'no such model', tookMs: 1 }]],
    ]);
    expect(await scaler.listGroups(['hot-00'])).toEqual([{ ...group, workers: 2, preloads }]);

    await scaler.forgetPreloads('hot-00', ['7', '6']);
    preloads.delete('7');
    expect(await scaler.listGroups(['hot-00'])).toEqual([{ ...group, workers: 2, preloads }]);
  });

  it('says what DynamoDB answered where it refuses', async () => {
    await expect(
      dynamodbWorkerCatalog(signedTable(environment(), 'no-such-table')).readPreloads('g'),
    ).rejects.toThrow(/^DynamoDB answered 400 to GetItem: .*ResourceNotFoundException/);
  });
});

describe('dynamodbCatalog', () => {
  it.each([
    ['no cold group', { epoch: { N: '1' }, coldGroups: { L: [] } }, /names no cold group/],
    [
      'an epoch that is no number',
      { epoch: { S: 'x' }, coldGroups: { L: [{ S: 'cold-00' }] } },
      /epoch should be/,
    ],
  ])('refuses a ROUTES item with %s', async (_, item, message) => {
    const table = await createTable();
    await table.call('PutItem', { Item: { pk: { S: 'ROUTES' }, ...item } });

    await expect(dynamodbCatalog(table).readRoutes()).rejects.toThrow(message);
  });
});

describe('what happens to objects, in rows', () => {
  it('takes wishes away while the object is gone, and brings them back', async () => {
    const table = await createTable();
    const store = dynamodbScalerStore(table);
    const rows = dynamodbModelRows(table, store);
    const note = dynamodbObjectNotes(table);
    await rows.change('m.tar.gz', { minWorkers: 2 });

    await note('m.tar.gz', false, '2');
    expect(await store.listWishes()).toEqual([]);
    expect(await store.readModels(['m.tar.gz'])).toMatchObject([{ minWorkers: 2, gone: true }]);
    await note('m.tar.gz', true, '1');
    expect(await store.listWishes()).toEqual([]);

    await note('m.tar.gz', true, '3');
    expect(await store.listWishes()).toMatchObject([{ model: 'm.tar.gz', minWorkers: 2 }]);
    await note('m.tar.gz', true, '3');
    expect(await store.listWishes()).toHaveLength(1);
  });

  it('makes no rows', async () => {
    const table = await createTable();
    await dynamodbObjectNotes(table)('none.tar.gz', true, '1');
    expect(await dynamodbScalerStore(table).readModels(['none.tar.gz'])).toEqual([]);
  });
});

describe('what an owner says of a model', () => {
  it('changes what is named, takes back what is null, and is found by the scaler while it is a wish', async () => {
    const table = await createTable();
    const store = dynamodbScalerStore(table);
    const rows = dynamodbModelRows(table, store);

    expect(await rows.change('m.tar.gz', { maxWorkers: 3, pinned: true })).toMatchObject({
      maxWorkers: 3,
      pinned: true,
    });
    expect(await store.listWishes()).toHaveLength(1);
    expect(await rows.change('m.tar.gz', { pinned: null })).toEqual({ model: 'm.tar.gz', maxWorkers: 3 });
    expect(await store.listWishes()).toEqual([]);
    expect(await rows.change('m.tar.gz', {})).toEqual({ model: 'm.tar.gz', maxWorkers: 3 });
    await rows.remove('m.tar.gz');
    expect(await rows.read(['m.tar.gz'])).toEqual([]);
  });
});

describe("what SageMaker's control plane keeps", () => {
  it('is made once, changed, listed by kind, read by routers, and removed', async () => {
    const table = await createTable();
    const records = dynamodbRecords(table);
    const route = { prefix: 'a/', variant: 'blue', asyncOutput: 's3://b/async/a/' };
    const record = { name: 'e', createdAtMs: 1, modifiedAtMs: 1, given: { EndpointName: 'e' }, route };

    expect(await records.replace('endpoint', record)).toBe(false);
    expect(await records.create('endpoint', record)).toBe(true);
    expect(await records.create('endpoint', record)).toBe(false);
    expect(await records.find('endpoint', 'e')).toEqual(record);
    expect(await records.find('model', 'e')).toBeUndefined();
    expect(await records.replace('endpoint', { ...record, modifiedAtMs: 2 })).toBe(true);
    expect(await records.list('endpoint')).toEqual([{ ...record, modifiedAtMs: 2 }]);
    expect(await records.list('model')).toEqual([]);
    expect(await dynamodbEndpointStore(table).find('e')).toEqual({ name: 'e', ...route });
    expect(await records.remove('endpoint', 'e')).toBe(true);
    expect(await records.remove('endpoint', 'e')).toBe(false);
    expect(await dynamodbEndpointStore(table).find('e')).toBeUndefined();
  });
});

describe('fences', () => {
  it('are counted by all, kept with the routes, longer each time, and lifted', async () => {
    const table = await createTable();
    const fences = dynamodbFences(table);
    const lift = dynamodbLiftFence(table);
    const catalog = dynamodbCatalog(table);
    expect(await fences.noteCrash('a/m.tar.gz', 7)).toBe(1);
    expect(await fences.noteCrash('a/m.tar.gz', 7)).toBe(2);
    expect(await fences.noteCrash('a/m.tar.gz', 8)).toBe(1);

    const first = await fences.raise('a/m.tar.gz', 'lost', 1000, []);
    expect(first).toEqual({ untilMs: 31_000, reason: 'lost' });
    expect(await catalog.readRoutes()).toBeUndefined();

    const written = { epoch: 1, coldGroups: ['cold-00'], hot: new Map() };
    await catalog.writeRoutes(written, undefined);
    const second = await fences.raise('a/m.tar.gz', 'lost', 1000, ['past.tar.gz']);
    expect(second.untilMs).toBe(61_000);
    expect((await catalog.readRoutes())?.fences).toEqual(new Map([['a/m.tar.gz', second]]));
    await fences.raise('b.tar.gz', 'x', 1000, ['a/m.tar.gz']);
    expect([...((await catalog.readRoutes())?.fences?.keys() ?? [])]).toEqual(['b.tar.gz']);

    await lift('b.tar.gz');
    await lift('never.tar.gz');
    expect(await catalog.readRoutes()).toEqual(written);
    expect((await fences.raise('b.tar.gz', 'x', 1000, [])).untilMs).toBe(31_000);
  });
});

describe('permits of keys', () => {
  it('are so many in a minute, whoever takes them', async () => {
    const permits = dynamodbPermits(await createTable());
    expect(await permits.take('k', 7, 6, 10)).toBe(6);
    expect(await permits.take('k', 7, 6, 10)).toBe(4);
    expect(await permits.take('k', 7, 6, 10)).toBe(0);
    expect(await permits.take('k', 8, 6, 10)).toBe(6);
    expect(await permits.take('other', 7, 1, 10)).toBe(1);
  });
});

describe('keys', () => {
  it('are found by id, listed, and revoked', async () => {
    const keys = dynamodbKeyAdmin(await createTable());
    const key = {
      id: 'MMEA',
      models: ['a/*'],
      role: 'invoke' as const,
      apiKeyHash: 'h',
      createdAtMs: 1,
      callsPerMinute: 5,
    };
    await keys.put(key);
    await expect(keys.put(key)).rejects.toThrow();
    expect(await keys.find('MMEA')).toEqual(key);
    expect(await keys.find('MMEB')).toBeUndefined();
    expect(await keys.revoke('MMEA', 9)).toBe(true);
    expect(await keys.revoke('MMEB', 9)).toBe(false);
    expect(await keys.list()).toEqual([{ ...key, revokedAtMs: 9 }]);
  });
});
