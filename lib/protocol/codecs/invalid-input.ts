import { ServingError } from '../../errors.ts';

/** An input that the sender must change. */
export const invalidInput = (message: string): ServingError => new ServingError('ValidationError', message);

/** What came, fit for a message: its kind, and a little of it. */
export const describeValue = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
};

const MAX_DIMENSIONS = 16;

/** `[any, 10]`: a declared shape as a person would write it. */
export const describeShape = (shape: readonly (number | undefined)[]): string =>
  shape.length > MAX_DIMENSIONS
    ? `[${shape.length} dimensions]`
    : `[${shape.map((dimension) => dimension ?? 'any').join(', ')}]`;
