import { invalidParameter, missingParameter, SqsError } from './sqs-error.ts';

/** A structure of a request. */
export type Fields = Readonly<Record<string, unknown>>;

const malformed = (name: string, expected: string): SqsError =>
  new SqsError('SerializationException', `${name} must be ${expected}.`);

export const toFields = (value: unknown, name: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(name, 'a structure');
  }
  return value as Fields;
};

export const readOptionalText = (fields: Fields, name: string): string | undefined => {
  const value = fields[name] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw malformed(name, 'a text');
  return value;
};

export const readText = (fields: Fields, name: string): string => {
  const value = readOptionalText(fields, name);
  if (value === undefined || value === '') throw missingParameter(name);
  return value;
};

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export const readOptionalInteger = (
  fields: Fields,
  name: string,
  { min, max }: Bounds,
): number | undefined => {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalidParameter(name, value, `Must be between ${min} and ${max}, if provided.`);
  }
  return value;
};

export const readOptionalFields = (fields: Fields, name: string): Fields =>
  toFields(fields[name] ?? {}, name);

export const readList = (fields: Fields, name: string): readonly unknown[] => {
  const value = fields[name] ?? [];
  if (!Array.isArray(value)) throw malformed(name, 'a list');
  return value;
};

export const readTexts = (fields: Fields, name: string): readonly string[] =>
  readList(fields, name).map((value) => {
    if (typeof value !== 'string') throw malformed(name, 'a list of texts');
    return value;
  });
