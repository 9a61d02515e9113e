import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { hasWish } from '../catalog/model-row.ts';
import type { ModelRows, Settings } from '../management/model-rows.ts';
import type { ScalerStore } from '../scaling/scaler-store.ts';
import { IN_WISHES, LISTED, modelKey, parseModelRow } from './model-item.ts';
import type { Item, Table } from './table.ts';

/** The rows of models, changed by their owner. What workers write has attributes of its own. */
export const dynamodbModelRows = (
  table: Table,
  { readModels }: Pick<ScalerStore, 'readModels'>,
): ModelRows => {
  const update = async (model: string, set: Item, removed: readonly string[]): Promise<Item> => {
    const names = [...Object.keys(set), ...removed];
    const assignments = Object.keys(set).map((_, index) => `#${index} = :${index}`);
    const removals = removed.map((_, index) => `#${assignments.length + index}`);
    const { Attributes } = await table.call('UpdateItem', {
      Key: { pk: { S: modelKey(model) } },
      UpdateExpression: [
        ...(assignments.length > 0 ? [`SET ${assignments.join(', ')}`] : []),
        ...(removals.length > 0 ? [`REMOVE ${removals.join(', ')}`] : []),
      ].join(' '),
      ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#${index}`, name])),
      ...(assignments.length === 0
        ? {}
        : {
            ExpressionAttributeValues: Object.fromEntries(
              Object.values(set).map((value, index) => [`:${index}`, value]),
            ),
          }),
      ReturnValues: 'ALL_NEW',
    });
    return Attributes ?? {};
  };

  return {
    read: readModels,

    async change(model, settings) {
      const entries = Object.entries(settings satisfies Settings);
      const set = Object.fromEntries(
        entries.flatMap(([name, value]) =>
          value === null || value === undefined ? [] : [[name, encode(value)]],
        ),
      );
      const removed = entries.flatMap(([name, value]) => (value === null ? [name] : []));
      if (entries.every(([, value]) => value === undefined)) {
        return (await readModels([model]))[0] ?? { model };
      }
      const item = await update(model, set, removed);
      const row = parseModelRow(item);
      // The index has those with wishes, and them alone: it is what the scaler reads each tick.
      if (hasWish(row) && item[LISTED] === undefined) await update(model, { [LISTED]: IN_WISHES }, []);
      if (!hasWish(row) && item[LISTED] !== undefined) await update(model, {}, [LISTED]);
      return row;
    },

    async remove(model) {
      await table.call('DeleteItem', { Key: { pk: { S: modelKey(model) } } });
    },
  };
};

const encode = (value: number | boolean): AttributeValue =>
  typeof value === 'number' ? { N: String(value) } : { BOOL: value };
