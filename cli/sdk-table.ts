import {
  BatchGetItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Actions, Table } from '../lib/aws/table.ts';

const COMMANDS = {
  BatchGetItem: BatchGetItemCommand,
  DeleteItem: DeleteItemCommand,
  GetItem: GetItemCommand,
  PutItem: PutItemCommand,
  Query: QueryCommand,
  UpdateItem: UpdateItemCommand,
};

/** The table by the SDK, which finds credentials in profiles, SSO and wherever else they may be. */
export const sdkTable = (client: DynamoDBClient, name: string): Table => ({
  name,
  async call<Action extends keyof Actions>(action: Action, input: object) {
    const Command = COMMANDS[action] as new (input: object) => GetItemCommand;
    const output: unknown = await client.send(
      new Command(action === 'BatchGetItem' ? input : { TableName: name, ...input }),
    );
    return output as Actions[Action][1];
  },
});
