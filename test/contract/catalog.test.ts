import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamodbCatalog } from '../../lib/aws/dynamodb-catalog.ts';
import { dynamodbWorkerCatalog } from '../../lib/aws/dynamodb-worker-catalog.ts';
import { type DynamoDBService, openDynamoDB } from '../../local/services/dynamodb.ts';
import { ensureTable } from '../../local/services/dynamodb-tables.ts';
import { memoryCatalog } from '../fakes/memory-catalog.ts';
import { memoryWorkerCatalog } from '../fakes/memory-worker-catalog.ts';
import { catalogContract } from './catalog.contract.ts';
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

const createTable = async (): Promise<string> => {
  const TableName = `catalog-${tables++}`;
  await ensureTable(client, {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  });
  return TableName;
};

catalogContract('in memory', async () => memoryCatalog());
catalogContract('DynamoDB', async () => dynamodbCatalog(client, await createTable()));

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
    catalog: dynamodbWorkerCatalog(environment(), table),
    putModels: (name, models) =>
      dynamodbCatalog(client, table).putGroup({ name, tier: 'hot', functionName: name, workers: 1, models }),
  };
});

describe("a group's row", () => {
  it('keeps what its workers have said, by version, when the scaler writes it again', async () => {
    const table = await createTable();
    const [scaler, worker] = [dynamodbCatalog(client, table), dynamodbWorkerCatalog(environment(), table)];
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
  });

  it('says what DynamoDB answered where it refuses', async () => {
    await expect(dynamodbWorkerCatalog(environment(), 'no-such-table').readPreloads('g')).rejects.toThrow(
      /^DynamoDB answered 400 to GetItem: .*ResourceNotFoundException/,
    );
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
    const TableName = await createTable();
    await client.send(new PutItemCommand({ TableName, Item: { pk: { S: 'ROUTES' }, ...item } }));

    await expect(dynamodbCatalog(client, TableName).readRoutes()).rejects.toThrow(message);
  });
});
