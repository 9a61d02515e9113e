import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/** @throws Error naming the attribute that is no string */
export const text = (value: AttributeValue | undefined, attribute: string): string => {
  if (value?.S === undefined) throw new Error(`catalog item: attribute ${attribute} should be a string`);
  return value.S;
};

/** @throws Error naming the attribute that is no whole number */
export const integer = (value: AttributeValue | undefined, attribute: string): number => {
  const number = Number(value?.N);
  if (!Number.isInteger(number))
    throw new Error(`catalog item: attribute ${attribute} should be a whole number`);
  return number;
};
