import type {
  AttributeValue,
  BatchGetItemCommandInput,
  BatchGetItemCommandOutput,
  DeleteItemCommandInput,
  DeleteItemCommandOutput,
  GetItemCommandInput,
  GetItemCommandOutput,
  PutItemCommandInput,
  PutItemCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  UpdateItemCommandInput,
  UpdateItemCommandOutput,
} from '@aws-sdk/client-dynamodb';

export type Item = Record<string, AttributeValue>;

/** What is asked of DynamoDB at all: no Scan. */
export interface Actions {
  readonly GetItem: readonly [GetItemCommandInput, GetItemCommandOutput];
  readonly BatchGetItem: readonly [BatchGetItemCommandInput, BatchGetItemCommandOutput];
  readonly Query: readonly [QueryCommandInput, QueryCommandOutput];
  readonly PutItem: readonly [PutItemCommandInput, PutItemCommandOutput];
  readonly UpdateItem: readonly [UpdateItemCommandInput, UpdateItemCommandOutput];
  readonly DeleteItem: readonly [DeleteItemCommandInput, DeleteItemCommandOutput];
}

export type Input<Action extends keyof Actions> = Omit<Actions[Action][0], 'TableName'>;
export type Output<Action extends keyof Actions> = Omit<Actions[Action][1], '$metadata'>;

/** The one table: in functions by signed requests (`signedTable`), in the command line by the SDK, which finds credentials anywhere. */
export interface Table {
  readonly name: string;
  /** @throws Error whose name is DynamoDB's of the exception; of a connection, its own */
  call<Action extends keyof Actions>(action: Action, input: Input<Action>): Promise<Output<Action>>;
}

export const isConditionFailed = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ConditionalCheckFailedException';

/** @returns whether the condition of a write held */
export const didHold = async (write: Promise<unknown>): Promise<boolean> => {
  try {
    await write;
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
};
