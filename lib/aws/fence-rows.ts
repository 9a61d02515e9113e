import { ROUTES_KEY } from './routes-row.ts';
import { didHold, type Item, type Table } from './table.ts';

/** Counts how often a model has been fenced off. */
export const fenceKey = (model: string): string => `FENCE#${model}`;

/** Does nothing while there are no routes: what each router knows itself has to do then. */
export const changeRoutes = async (
  table: Table,
  expression: string,
  names: Record<string, string>,
  values?: Item,
): Promise<void> => {
  const change = table.call('UpdateItem', {
    Key: { pk: { S: ROUTES_KEY } },
    ConditionExpression: 'attribute_exists(pk)',
    UpdateExpression: expression,
    ExpressionAttributeNames: names,
    ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
  });
  await didHold(change);
};
