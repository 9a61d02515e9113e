import { setTimeout as sleep } from 'node:timers/promises';
import { type AwsEnvironment, createSignedRequests, readText } from './signed-requests.ts';
import type { Actions, Table } from './table.ts';

/** Short limits: a router serves from what it last knew, so a slow table must not become a slow answer. */
const ATTEMPTS = 2;
const CONNECT_MS = 500;
const IDLE_MS = 1000;
const PAUSE_MS = 100;

/** A batch of rows is 16 MB at most, and a page of a query 1 MB. */
const MAX_ANSWER_BYTES = 17 * 1024 * 1024;

/** DynamoDB says so with status 400, as of any other refusal. */
const THROTTLED: ReadonlySet<string> = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionInProgressException',
]);

/** The table by plain signed requests (`createSignedRequests`): DynamoDB's JSON is what the SDK's types say. */
export const signedTable = (environment: AwsEnvironment, name: string): Table => {
  const requests = createSignedRequests({
    service: 'dynamodb',
    environment,
    attempts: ATTEMPTS,
    connectMs: CONNECT_MS,
    idleMs: IDLE_MS,
  });

  const ask = async (action: string, body: string): Promise<unknown> => {
    const response = await requests.send({
      action: `dynamodb:${action}`,
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${action}`,
      },
      body,
    });
    const text = await readText(response, MAX_ANSWER_BYTES);
    if (response.statusCode === 200) return JSON.parse(text);
    throw refusal(action, response.statusCode, text);
  };

  return {
    name,
    async call<Action extends keyof Actions>(action: Action, input: object) {
      const body = JSON.stringify(action === 'BatchGetItem' ? input : { TableName: name, ...input });
      for (let turn = 1; ; turn++) {
        try {
          return (await ask(action, body)) as Actions[Action][1];
        } catch (error) {
          if (turn === ATTEMPTS || !THROTTLED.has((error as Error).name)) throw error;
        }
        await sleep(PAUSE_MS * turn);
      }
    },
  };
};

/** `{"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": ...}` */
const refusal = (action: string, status: number | undefined, text: string): Error => {
  const type = /"__type"\s*:\s*"(?:[^"#]*#)?([A-Za-z]+)"/.exec(text)?.[1];
  const error = new Error(`DynamoDB answered ${status} to ${action}: ${text.slice(0, 300)}`);
  error.name = type ?? 'DynamoDBError';
  return error;
};
