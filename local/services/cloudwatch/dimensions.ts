import { CloudWatchError } from './cloudwatch-error.ts';
import { type Fields, readStructures, readText } from './fields.ts';

const MAX_DIMENSIONS = 30;

/** `Dimensions` of a request, by name. @throws CloudWatchError */
export const readDimensions = (fields: Fields): Readonly<Record<string, string>> => {
  const list = readStructures(fields, 'Dimensions');
  if (list.length > MAX_DIMENSIONS) {
    throw new CloudWatchError(
      'InvalidParameterValue',
      `A metric has at most ${MAX_DIMENSIONS} dimensions, but ${list.length} came.`,
    );
  }
  return Object.fromEntries(
    list.map((dimension) => [readText(dimension, 'Name'), readText(dimension, 'Value')]),
  );
};

export const encodeDimensions = (
  dimensions: Readonly<Record<string, string>>,
): readonly { readonly Name: string; readonly Value: string }[] =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
