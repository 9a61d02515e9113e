import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { ModelRow } from '../catalog/model-row.ts';
import type { Item } from './table.ts';

const PREFIX = 'MODEL#';
export const modelKey = (model: string): string => PREFIX + model;

/** Rows with this attribute, and no others, are in the index of the same name, by what they are. */
export const LISTED = 'listed';
export const IN_WISHES: AttributeValue = { S: 'wish' };
export const IN_KEYS: AttributeValue = { S: 'key' };

/**
 * What the owner of the endpoint says comes before what the artifact asks for; each has its own attributes, so that neither
 * overwrites the other.
 */
export const parseModelRow = (item: Item): ModelRow => {
  const number = (name: string): number | undefined => {
    const text = item[name]?.N;
    return text === undefined ? undefined : Number(text);
  };
  return withoutUndefined({
    model: (item['pk']?.S ?? '').slice(PREFIX.length),
    pinned: flag(item['pinned']),
    isolated: flag(item['isolated']),
    gone: flag(item['gone']),
    minWorkers: number('minWorkers') ?? number('artifactMinWorkers'),
    maxWorkers: number('maxWorkers') ?? number('artifactMaxWorkers'),
    maxIdleSeconds: number('maxIdleSeconds') ?? number('artifactMaxIdleSeconds'),
    sizeBytes: number('sizeBytes'),
    loadMs: number('loadMs'),
  });
};

const flag = (attribute: AttributeValue | undefined): boolean | undefined => attribute?.BOOL;

const withoutUndefined = (row: { [Key in keyof ModelRow]: ModelRow[Key] | undefined }): ModelRow =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as unknown as ModelRow;
