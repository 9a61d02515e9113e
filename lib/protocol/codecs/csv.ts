import type { Tensor, TensorSpec } from '../../engines/engine.ts';
import type { Codec } from './codec.ts';
import { createElementWriter, nonFiniteName } from './elements.ts';
import { describeShape, describeValue, invalidInput } from './invalid-input.ts';

/**
 * `text/csv` without a header: a row per line, a feature per column, for models with one input of rank 2 (or 1: a
 * value per line). Fields may be quoted as in RFC 4180, but not span lines. The answer has a line per row, with the
 * columns of all outputs side by side in the model's order: for a classifier the label, then the probabilities.
 */
export const csvCodec: Codec = {
  mediaType: 'text/csv',

  decode(sent, inputs) {
    const spec = tabular(inputs);
    const body = sent.text();
    if (body.trim() === '')
      throw invalidInput('the body is empty: expected one line per row, for example 0.1,0.2,0.3');
    refuseMoreThan(MAX_FIELDS, body, '\n', 'lines');
    refuseMoreThan(MAX_FIELDS, body, ',', 'commas');

    const lines = body.replace(/\r?\n$/, '').split(/\r?\n/);
    const rows = lines.map((line, index) => splitFields(line, index + 1));
    const columns = (spec.shape.length === 2 ? spec.shape[1] : 1) ?? rows[0]?.length ?? 0;
    checkRowCount(rows.length, spec);
    const odd = rows.findIndex(({ length }) => length !== columns);
    if (odd !== -1) {
      throw invalidInput(
        `line ${odd + 1} has ${rows[odd]?.length} columns, but should have ${columns}, separated by commas (input ${spec.name} has the shape ${describeShape(spec.shape)})`,
      );
    }
    const writer = createElementWriter(spec.type, rows.length * columns);
    for (const [row, fields] of rows.entries()) {
      for (const [column, field] of fields.entries()) {
        const expected = writer.write(parseField(field, spec), row * columns + column);
        if (expected !== undefined) throw badField({ row, column, field, expected, spec });
      }
    }
    const shape = spec.shape.length === 2 ? [rows.length, columns] : [rows.length];
    return { tensors: [{ name: spec.name, type: spec.type, shape, data: writer.data }], form: 'bare' };
  },

  encode(outputs) {
    const rows = outputs[0]?.shape[0] ?? 1;
    refuseOtherRows(outputs, rows);
    const tables = outputs.map((tensor) => ({ tensor, columns: tensor.data.length / rows }));
    const lines = Array.from({ length: rows }, (_, row) =>
      tables
        .flatMap(({ tensor, columns }) =>
          Array.from({ length: columns }, (_unused, column) => writeField(tensor, row * columns + column)),
        )
        .join(','),
    );
    return { contentType: this.mediaType, body: `${lines.join('\n')}\n` };
  },
};

/** Columns can stand side by side only where every output has a row for each line. */
const refuseOtherRows = (outputs: readonly Tensor[], rows: number): void => {
  const other = outputs.find(({ shape }) => (shape[0] ?? 1) !== rows);
  if (other !== undefined) {
    throw invalidInput(
      `the outputs ${outputs[0]?.name} and ${other.name} have ${rows} and ${other.shape[0]} rows, which is no table: ask for application/json (Accept)`,
    );
  }
};

const tabular = (inputs: readonly TensorSpec[]): TensorSpec => {
  const [spec] = inputs;
  if (inputs.length !== 1 || spec === undefined) {
    throw invalidInput(
      `text/csv fits models with one input, and this one has ${inputs.length}: send application/json`,
    );
  }
  if (spec.shape.length !== 1 && spec.shape.length !== 2) {
    throw invalidInput(
      `text/csv fits tables, and input ${spec.name} has the shape ${describeShape(spec.shape)}: send application/json`,
    );
  }
  return spec;
};

const checkRowCount = (rows: number, spec: TensorSpec): void => {
  const [expected] = spec.shape;
  if (expected !== undefined && rows !== expected) {
    throw invalidInput(
      `the body has ${rows} lines, but should have ${expected} (input ${spec.name} has the shape ${describeShape(spec.shape)})`,
    );
  }
};

/** Fields are strings before they are numbers, at tens of bytes each: what a body of 6 MB could make of them is too much. */
const MAX_FIELDS = 1_048_576;

const refuseMoreThan = (most: number, body: string, separator: string, what: string): void => {
  let count = 0;
  for (let at = body.indexOf(separator); at !== -1; at = body.indexOf(separator, at + 1)) {
    count += 1;
    if (count > most) {
      throw invalidInput(`the body has more than ${most} ${what}: send fewer rows, or application/x-npy`);
    }
  }
};

const splitFields = (line: string, lineNumber: number): readonly string[] => {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  for (let at = 0; at <= line.length; ) {
    const isQuoted = line[at] === '"';
    const end = isQuoted ? endOfQuoted(line, at) : endOfPlain(line, at);
    const isWhole = end !== -1 && (end === line.length || line[end] === ',');
    if (!isWhole) throw invalidInput(`line ${lineNumber}: the quotes do not match`);
    fields.push(isQuoted ? line.slice(at + 1, end - 1).replaceAll('""', '"') : line.slice(at, end));
    at = end + 1;
  }
  return fields;
};

/** Behind the closing quote; quotes in the field are doubled (RFC 4180). */
const endOfQuoted = (line: string, start: number): number => {
  for (let at = line.indexOf('"', start + 1); at !== -1; at = line.indexOf('"', at + 2)) {
    if (line[at + 1] !== '"') return at + 1;
  }
  return -1;
};

const endOfPlain = (line: string, start: number): number => {
  const comma = line.indexOf(',', start);
  const end = comma === -1 ? line.length : comma;
  const quote = line.indexOf('"', start);
  return quote === -1 || quote >= end ? end : -1;
};

/** A field is text; what it stands for depends on the input's type. */
const parseField = (field: string, { type }: TensorSpec): unknown => {
  const text = field.trim();
  if (type === 'string') return field;
  if (type === 'bool') return text === 'true' ? true : text === 'false' ? false : text;
  if (type === 'int64' || type === 'uint64') return text;
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
};

interface BadField {
  readonly row: number;
  readonly column: number;
  readonly field: string;
  readonly expected: string;
  readonly spec: TensorSpec;
}

const badField = ({ row, column, field, expected, spec }: BadField) =>
  invalidInput(
    `line ${row + 1}, column ${column + 1} should be ${expected} (input ${spec.name} is ${spec.type}), but is ${describeValue(field)}` +
      (row === 0 && Number.isNaN(Number(field)) ? '; if the first line is a header, leave it out' : ''),
  );

const writeField = ({ data, type }: Tensor, index: number): string => {
  const element = data[index];
  if (type === 'bool') return element === 0 ? 'false' : 'true';
  if (typeof element === 'string')
    // A line of white space alone would read as none.
    return /[",\r\n]|^\s*$/.test(element) ? `"${element.replaceAll('"', '""')}"` : element;
  return typeof element === 'number' && !Number.isFinite(element) ? nonFiniteName(element) : String(element);
};
