import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamodbCatalog } from '../../lib/aws/dynamodb-catalog.ts';
import { type DynamoDBService, openDynamoDB } from '../../local/services/dynamodb.ts';
import { ensureTable } from '../../local/services/dynamodb-tables.ts';
import { memoryCatalog } from '../fakes/memory-catalog.ts';
import { catalogContract } from './catalog.contract.ts';

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
