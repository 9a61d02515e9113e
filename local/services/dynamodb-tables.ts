import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';

const POLL_MS = 10;
const MAX_POLLS = 500;

/**
 * Makes a table if it is not there, and waits until it may be used: like AWS's, dynalite's is CREATING first.
 * @throws Error after five seconds.
 */
export const ensureTable = async (client: DynamoDBClient, input: CreateTableCommandInput): Promise<void> => {
  await client.send(new CreateTableCommand(input)).catch((error: unknown) => {
    if (!(error instanceof ResourceInUseException)) throw error;
  });
  for (let poll = 0; poll < MAX_POLLS; poll++) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: input.TableName }));
    if (Table?.TableStatus === 'ACTIVE') return;
    await delay(POLL_MS);
  }
  throw new Error(`table ${input.TableName} is still being created`);
};
