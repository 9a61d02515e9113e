import { ALL_TRAFFIC, type Endpoint, type EndpointStore } from '../endpoints/endpoint.ts';
import type { Item, Table } from './table.ts';

/** Endpoints' rows, as `dynamodbRecords` writes them: what routers need of them has attributes of its own. */
export const dynamodbEndpointStore = (table: Table): EndpointStore => ({
  async find(name) {
    const { Item } = await table.call('GetItem', { Key: { pk: { S: `ENDPOINT#${name}` } } });
    return Item && parseEndpoint(name, Item);
  },
});

const parseEndpoint = (name: string, item: Item): Endpoint => ({
  name,
  prefix: item['prefix']?.S ?? '',
  variant: item['variant']?.S ?? ALL_TRAFFIC,
  ...(item['asyncOutput']?.S === undefined ? {} : { asyncOutput: item['asyncOutput'].S }),
});
