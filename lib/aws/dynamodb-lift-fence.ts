import { changeRoutes, fenceKey } from './fence-rows.ts';
import { FENCE } from './routes-row.ts';
import type { Table } from './table.ts';

/** Forgets everything against a model: it has a new object. */
export const dynamodbLiftFence =
  (table: Table) =>
  async (model: string): Promise<void> => {
    const Key = { pk: { S: fenceKey(model) } };
    const { Attributes } = await table.call('DeleteItem', { Key, ReturnValues: 'ALL_OLD' });
    if (Attributes !== undefined) await changeRoutes(table, 'REMOVE #fence', { '#fence': FENCE + model });
  };
