import type { Input, Item, Output, Table } from './table.ts';

/** Every page of a query. */
export const queryAll = async (table: Table, input: Input<'Query'>): Promise<readonly Item[]> => {
  const items: Item[] = [];
  let page: Output<'Query'> | undefined;
  do {
    page = await table.call('Query', {
      ...input,
      ...(page?.LastEvaluatedKey && { ExclusiveStartKey: page.LastEvaluatedKey }),
    });
    items.push(...(page.Items ?? []));
  } while (page.LastEvaluatedKey !== undefined);
  return items;
};
