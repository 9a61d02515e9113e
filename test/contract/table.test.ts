import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sdkTable } from '../../cli/sdk-table.ts';
import { queryAll } from '../../lib/aws/query-all.ts';
import { signedTable } from '../../lib/aws/signed-table.ts';
import { didHold, type Table } from '../../lib/aws/table.ts';

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** DynamoDB's answers, in turn; the last one again and again. */
let answers: Answer[] = [];
let asked: { readonly action: string; readonly input: object }[] = [];
let server: Server;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const action = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    asked.push({ action, input: JSON.parse(Buffer.concat(chunks).toString()) as object });
    const { status, body } = (answers.length > 1 ? answers.shift() : answers[0]) ?? { status: 500, body: {} };
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
beforeEach(() => {
  asked = [];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const refusal = (type: string): Answer => ({
  status: 400,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'no' },
});

const open: Record<string, () => Table> = {
  'by signed requests': () =>
    signedTable(
      { AWS_ENDPOINT_URL: endpoint(), AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
      'catalog',
    ),
  'by the SDK': () =>
    sdkTable(
      new DynamoDBClient({
        endpoint: endpoint(),
        region: 'us-east-1',
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      }),
      'catalog',
    ),
};

describe.each(Object.keys(open))('a table %s', (how) => {
  const table = (): Table => (open[how] as () => Table)();
  const Key = { pk: { S: 'ROUTES' } };

  it('asks of its own name, and of several rows by name', async () => {
    answers = [{ status: 200, body: { Item: { pk: { S: 'ROUTES' }, epoch: { N: '7' } } } }];
    expect((await table().call('GetItem', { Key })).Item?.['epoch']?.N).toBe('7');
    await table().call('BatchGetItem', { RequestItems: { catalog: { Keys: [Key] } } });
    expect(asked).toEqual([
      { action: 'GetItem', input: { TableName: 'catalog', Key } },
      { action: 'BatchGetItem', input: { RequestItems: { catalog: { Keys: [Key] } } } },
    ]);
  });

  it('tells a condition that did not hold from a failure', async () => {
    answers = [refusal('ConditionalCheckFailedException')];
    expect(await didHold(table().call('UpdateItem', { Key }))).toBe(false);
    answers = [refusal('ValidationException')];
    await expect(didHold(table().call('UpdateItem', { Key }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    answers = [{ status: 200, body: {} }];
    expect(await didHold(table().call('UpdateItem', { Key }))).toBe(true);
  });

  it('asks again when it was throttled, and when DynamoDB failed', async () => {
    for (const first of [refusal('ThrottlingException'), { status: 500, body: {} }]) {
      answers = [first, { status: 200, body: { Item: Key } }];
      expect((await table().call('GetItem', { Key })).Item).toEqual(Key);
    }
    answers = [refusal('ProvisionedThroughputExceededException')];
    await expect(table().call('GetItem', { Key })).rejects.toMatchObject({
      name: 'ProvisionedThroughputExceededException',
    });
  });

  it('reads every page', async () => {
    answers = [
      { status: 200, body: { Items: [{ pk: { S: 'a' } }], LastEvaluatedKey: { pk: { S: 'a' } } } },
      { status: 200, body: { Items: [{ pk: { S: 'b' } }] } },
    ];
    const rows = await queryAll(table(), { IndexName: 'listed' });
    expect(rows.map(({ pk }) => pk?.S)).toEqual(['a', 'b']);
    expect(asked.map(({ input }) => input)).toEqual([
      { TableName: 'catalog', IndexName: 'listed' },
      { TableName: 'catalog', IndexName: 'listed', ExclusiveStartKey: { pk: { S: 'a' } } },
    ]);
  });
});
