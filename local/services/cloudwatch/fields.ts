import { CloudWatchError } from './cloudwatch-error.ts';

/** A structure of a request, whatever the protocol: numbers, times and flags may come as text. */
export type Fields = Readonly<Record<string, unknown>>;

const missing = (name: string): CloudWatchError =>
  new CloudWatchError('MissingParameter', `The parameter ${name} is required.`);

export const invalidValue = (name: string, expected: string): CloudWatchError =>
  new CloudWatchError('InvalidParameterValue', `The parameter ${name} must be ${expected}.`);

export const readOptionalText = (fields: Fields, name: string): string | undefined => {
  const value = fields[name] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw invalidValue(name, 'a text');
  return value;
};

export const readText = (fields: Fields, name: string): string => {
  const value = readOptionalText(fields, name);
  if (value === undefined || value === '') throw missing(name);
  return value;
};

export const readOptionalNumber = (fields: Fields, name: string): number | undefined =>
  fields[name] === undefined || fields[name] === null ? undefined : parseNumber(fields[name], name);

export const readNumber = (fields: Fields, name: string): number => {
  const value = readOptionalNumber(fields, name);
  if (value === undefined) throw missing(name);
  return value;
};

export const readNumbers = (fields: Fields, name: string): readonly number[] =>
  readArray(fields, name).map((value) => parseNumber(value, name));

const parseNumber = (value: unknown, name: string): number => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw invalidValue(name, 'a number');
  return number;
};

/** Seconds since the epoch, as awsJson has it, or ISO 8601, as Query has it. */
export const readOptionalTimeMs = (fields: Fields, name: string): number | undefined => {
  const value = fields[name] ?? undefined;
  if (value === undefined) return undefined;
  const timeMs =
    typeof value === 'number' ? Math.round(value * 1000) : Date.parse(typeof value === 'string' ? value : '');
  if (!Number.isFinite(timeMs)) throw invalidValue(name, 'a time');
  return timeMs;
};

export const readTimeMs = (fields: Fields, name: string): number => {
  const value = readOptionalTimeMs(fields, name);
  if (value === undefined) throw missing(name);
  return value;
};

export const readFlag = (fields: Fields, name: string, fallback: boolean): boolean => {
  const value = fields[name] ?? fallback;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw invalidValue(name, 'true or false');
};

export const readOptionalStructure = (fields: Fields, name: string): Fields | undefined => {
  const value = fields[name] ?? undefined;
  return value === undefined ? undefined : parseStructure(value, name);
};

export const readStructures = (fields: Fields, name: string): readonly Fields[] =>
  readArray(fields, name).map((value) => parseStructure(value, name));

const parseStructure = (value: unknown, name: string): Fields => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidValue(name, 'a structure');
  return value as Fields;
};

const readArray = (fields: Fields, name: string): readonly unknown[] => {
  // An empty list is an empty text in the Query protocol.
  const value = fields[name] ?? [];
  if (value === '') return [];
  if (!Array.isArray(value)) throw invalidValue(name, 'a list');
  return value;
};
