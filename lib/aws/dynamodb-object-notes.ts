import { hasWish } from '../catalog/model-row.ts';
import type { NoteObjectsOptions } from '../catalog/object-events.ts';
import { IN_WISHES, LISTED, modelKey, parseModelRow } from './model-item.ts';
import { type Item, isConditionFailed, type Table } from './table.ts';

/** Notes in rows that there are whether the models' objects are: a model without a row needs none. */
export const dynamodbObjectNotes =
  (table: Table): NoteObjectsOptions['note'] =>
  async (model, isThere, sequencer) => {
    const update = async (expression: string, condition: string, values: Item): Promise<Item | undefined> => {
      try {
        const { Attributes = {} } = await table.call('UpdateItem', {
          Key: { pk: { S: modelKey(model) } },
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeValues: values,
          ReturnValues: 'ALL_NEW',
        });
        return Attributes;
      } catch (error) {
        if (isConditionFailed(error)) return undefined;
        throw error;
      }
    };

    const item = await update(
      isThere
        ? 'SET objectSequencer = :now REMOVE gone'
        : `SET objectSequencer = :now, gone = :gone REMOVE ${LISTED}`,
      'attribute_exists(pk) AND (attribute_not_exists(objectSequencer) OR objectSequencer < :now)',
      { ':now': { S: sequencer }, ...(isThere ? {} : { ':gone': { BOOL: true } }) },
    );
    if (item === undefined || !hasWish(parseModelRow(item))) return;
    // Unless it has gone again meanwhile.
    await update(`SET ${LISTED} = :in`, 'objectSequencer = :now AND attribute_not_exists(gone)', {
      ':in': IN_WISHES,
      ':now': { S: sequencer },
    });
  };
