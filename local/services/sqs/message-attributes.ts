import { type Fields, readOptionalText, readText, toFields } from './fields.ts';
import { invalidParameter, type SqsError } from './sqs-error.ts';

/** An attribute that the sender added: one of the two values, by its type. */
export interface MessageAttribute {
  readonly dataType: string;
  readonly stringValue?: string;
  /** base64 */
  readonly binaryValue?: string;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

const MAX_ATTRIBUTES = 10;
/** Developer guide, "Message attribute components"; what begins with AWS. or Amazon. is reserved. */
const NAME = /^(?!aws\.|amazon\.|\.)(?!.*\.\.)[\w.-]{1,256}(?<!\.)$/i;
const DATA_TYPE = /^(String|Number|Binary)(\.[\w.-]{1,248})?$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** @throws SqsError */
export const parseMessageAttributes = (fields: Fields): MessageAttributes => {
  const names = Object.keys(fields);
  if (names.length > MAX_ATTRIBUTES) {
    throw invalidParameter('MessageAttributes', names.length, `At most ${MAX_ATTRIBUTES} are allowed.`);
  }
  return Object.fromEntries(names.map((name) => [name, parseAttribute(name, fields[name])]));
};

const parseAttribute = (name: string, value: unknown): MessageAttribute => {
  if (!NAME.test(name)) throw invalid(name, 'the name is not allowed.');
  const fields = toFields(value, `MessageAttributes.${name}`);
  const dataType = readText(fields, 'DataType');
  const [, kind] = DATA_TYPE.exec(dataType) ?? [];
  if (kind === undefined) throw invalid(name, `the type ${dataType} is none of String, Number, Binary.`);
  const attribute =
    kind === 'Binary'
      ? { dataType, binaryValue: readOptionalText(fields, 'BinaryValue') ?? '' }
      : { dataType, stringValue: readOptionalText(fields, 'StringValue') ?? '' };
  const text = attribute.stringValue ?? attribute.binaryValue;
  if (text === '') throw invalid(name, `it must contain a non-empty value of type ${kind}.`);
  if (kind === 'Number' && !NUMBER.test(text ?? '')) throw invalid(name, `${text} is not a number.`);
  return attribute;
};

const invalid = (name: string, why: string): SqsError =>
  invalidParameter('MessageAttributes', name, `The message attribute '${name}' is invalid: ${why}`);

export const valueBytes = ({ stringValue, binaryValue }: MessageAttribute): Buffer =>
  stringValue === undefined ? Buffer.from(binaryValue ?? '', 'base64') : Buffer.from(stringValue);

/** As they count towards the bound on a message: names, types and values. */
export const sizeOfAttributes = (attributes: MessageAttributes): number =>
  Object.entries(attributes).reduce(
    (sum, [name, attribute]) =>
      sum + Buffer.byteLength(name) + Buffer.byteLength(attribute.dataType) + valueBytes(attribute).length,
    0,
  );

/** Those that a receiver asked for: names, `prefix.*`, `.*` or `All`. */
export const selectAttributes = (
  attributes: MessageAttributes,
  asked: readonly string[],
): MessageAttributes =>
  Object.fromEntries(
    Object.entries(attributes).filter(([name]) => asked.some((pattern) => matches(name, pattern))),
  );

const matches = (name: string, pattern: string): boolean =>
  pattern === 'All' || pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -2)));

/** As the API writes them. */
export const encodeAttributes = (attributes: MessageAttributes): Readonly<Record<string, object>> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      { DataType: dataType, StringValue: stringValue, BinaryValue: binaryValue },
    ]),
  );
