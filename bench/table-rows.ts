import { BatchWriteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type Cloud, CREDENTIALS, REGION } from '../local/cloud.ts';

/** As many as one request may write (DynamoDB API, BatchWriteItem). */
const BATCH = 25;
const AT_ONCE = 8;

/** Puts so many rows of models that nobody calls into the endpoint's table. */
export const fillTable = async (
  { url, deployment }: Pick<Cloud, 'url' | 'deployment'>,
  count: number,
): Promise<void> => {
  const [table] = deployment.tables;
  const name = String(table?.['TableName']);
  const client = new DynamoDBClient({ region: REGION, endpoint: url, credentials: { ...CREDENTIALS } });
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < count) {
      const start = next;
      next += BATCH;
      const size = Math.min(BATCH, count - start);
      const rows = Array.from({ length: size }, (_, index) => ({ PutRequest: { Item: row(start + index) } }));
      await client.send(new BatchWriteItemCommand({ RequestItems: { [name]: rows } }));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, write));
  client.destroy();
};

/** As a worker notes what it has measured. */
const row = (index: number) => ({
  pk: { S: `MODEL#tenant-${index}/churn.tar.gz` },
  sizeBytes: { N: '1024' },
  loadMs: { N: '4' },
});
