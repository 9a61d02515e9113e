import type { Kind, SageMakerRecord, SageMakerRecords } from '../sagemaker/records.ts';
import { LISTED } from './model-item.ts';
import { queryAll } from './query-all.ts';
import { didHold, type Item, type Table } from './table.ts';

const PREFIX: Readonly<Record<Kind, string>> = {
  model: 'SAGEMAKER-MODEL#',
  'endpoint-config': 'ENDPOINT-CONFIG#',
  endpoint: 'ENDPOINT#',
};

/** What SageMaker's control plane keeps, as rows of the catalog's table. */
export const dynamodbRecords = (table: Table): SageMakerRecords => {
  const keyOf = (kind: Kind, name: string): Item => ({ pk: { S: PREFIX[kind] + name } });

  const put = (kind: Kind, record: SageMakerRecord, condition: string): Promise<boolean> =>
    didHold(
      table.call('PutItem', {
        Item: { ...keyOf(kind, record.name), ...encode(kind, record) },
        ConditionExpression: condition,
      }),
    );

  return {
    async find(kind, name) {
      const { Item } = await table.call('GetItem', { Key: keyOf(kind, name), ConsistentRead: true });
      return Item && parse(Item);
    },
    create: (kind, record) => put(kind, record, 'attribute_not_exists(pk)'),
    replace: (kind, record) => put(kind, record, 'attribute_exists(pk)'),
    remove: (kind, name) =>
      didHold(
        table.call('DeleteItem', { Key: keyOf(kind, name), ConditionExpression: 'attribute_exists(pk)' }),
      ),
    async list(kind) {
      const rows = await queryAll(table, {
        IndexName: LISTED,
        KeyConditionExpression: '#listed = :kind',
        ExpressionAttributeNames: { '#listed': LISTED },
        ExpressionAttributeValues: { ':kind': { S: kind } },
      });
      return rows.map(parse);
    },
  };
};

/** Routers read the attributes of `route` (dynamodb-endpoint-store). */
const encode = (kind: Kind, { name, createdAtMs, modifiedAtMs, given, route }: SageMakerRecord): Item => ({
  [LISTED]: { S: kind },
  name: { S: name },
  createdAtMs: { N: String(createdAtMs) },
  modifiedAtMs: { N: String(modifiedAtMs) },
  given: { S: JSON.stringify(given) },
  ...Object.fromEntries(Object.entries(route ?? {}).map(([key, value]) => [key, { S: value }])),
});

const parse = (item: Item): SageMakerRecord => {
  const text = (name: string): string => item[name]?.S ?? '';
  const asyncOutput = item['asyncOutput']?.S;
  return {
    name: text('name'),
    createdAtMs: Number(item['createdAtMs']?.N ?? 0),
    modifiedAtMs: Number(item['modifiedAtMs']?.N ?? 0),
    given: JSON.parse(text('given') || '{}') as SageMakerRecord['given'],
    ...(item['variant'] === undefined
      ? {}
      : {
          route: {
            prefix: text('prefix'),
            variant: text('variant'),
            ...(asyncOutput === undefined ? {} : { asyncOutput }),
          },
        }),
  };
};
