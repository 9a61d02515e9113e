import { type AttributeValue, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { ALL_TRAFFIC, type Endpoint, type EndpointStore } from '../endpoints/endpoint.ts';

/** Endpoints' rows, as `dynamodbRecords` writes them: what routers need of them has attributes of its own. */
export const dynamodbEndpointStore = (client: DynamoDBClient, tableName: string): EndpointStore => ({
  async find(name) {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: { pk: { S: `ENDPOINT#${name}` } } }),
    );
    return Item && parseEndpoint(name, Item);
  },
});

const parseEndpoint = (name: string, item: Record<string, AttributeValue>): Endpoint => ({
  name,
  prefix: item['prefix']?.S ?? '',
  variant: item['variant']?.S ?? ALL_TRAFFIC,
  ...(item['asyncOutput']?.S === undefined ? {} : { asyncOutput: item['asyncOutput'].S }),
});
