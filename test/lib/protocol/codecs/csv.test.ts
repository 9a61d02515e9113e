import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor, TensorSpec } from '../../../../lib/engines/engine.ts';
import { csvCodec } from '../../../../lib/protocol/codecs/csv.ts';
import { decodeText, encodeText } from '../../../fixtures/codecs.ts';
import { anyTensor, spec, tensor, tensorTypes } from '../../../fixtures/tensors.ts';

const decode = (body: string, ...inputs: readonly TensorSpec[]) =>
  decodeText(csvCodec, body, inputs.length === 0 ? [spec()] : inputs);
const strings = spec({ type: 'string' });

describe('a CSV request', () => {
  it.each([
    ['a line per row', '1,2\n3,4'],
    ['an end of the last line', '1,2\n3,4\n'],
    ["Windows' line ends", '1,2\r\n3,4\r\n'],
    ['spaces around numbers', ' 1 ,2\n3,\t4'],
    ['quotes', '"1","2"\n3,"4"'],
    ['other spellings of numbers', '+1,2.\n.3e1,40E-1'],
  ])('may have %s', (_, body) => {
    const x: Tensor = { name: 'x', type: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };

    expect(decode(body)).toEqual({ form: 'bare', tensors: [x] });
  });

  it('may have a value per line for a model that takes a list', () => {
    expect(decode('1\n2\n', spec({ shape: [undefined] })).tensors[0]).toMatchObject({ shape: [2] });
  });

  it('takes the number of columns from its first line where the model leaves it open', () => {
    expect(decode('1,2,3', spec({ shape: [undefined, undefined] })).tensors[0]?.shape).toEqual([1, 3]);
  });

  it('may have strings with commas and quotes', () => {
    expect(decode('"a,b","say ""hi"""\nc, d', strings).tensors[0]?.data).toEqual([
      'a,b',
      'say "hi"',
      'c',
      ' d',
    ]);
  });

  it('has 64-bit integers in full', () => {
    const x = spec({ type: 'int64', shape: [undefined] });

    expect(decode('9223372036854775807', x).tensors[0]?.data).toEqual(BigInt64Array.of(2n ** 63n - 1n));
  });
});

describe('a CSV request that does not fit', () => {
  it.each<[string, string, readonly TensorSpec[], RegExp]>([
    ['nothing', '', [], /^the body is empty: expected one line per row/],
    ['an empty line', '\n', [], /^the body is empty/],
    [
      'a header',
      'age,income\n1,2',
      [],
      /^line 1, column 1 should be a number .*\(input x is float32\), but is "age"; if the first line is a header, leave it out$/,
    ],
    ['a word further down', '1,2\n1,two', [], /^line 2, column 2 should be a number .*, but is "two"$/],
    ['an empty field', '1,', [], /^line 1, column 2 should be a number .*, but is ""/],
    [
      'a blank line between rows',
      '1,2\n\n3,4',
      [],
      /^line 2 has 1 columns, but should have 2, separated by commas \(input x has the shape \[any, 2\]\)$/,
    ],
    ['too many columns', '1,2\n1,2,3', [], /^line 2 has 3 columns, but should have 2/],
    [
      'rows of several lengths',
      '1,2,3\n1,2',
      [spec({ shape: [undefined, undefined] })],
      /^line 2 has 2 columns, but should have 3/,
    ],
    ['another number of lines', '1,2', [spec({ shape: [2, 2] })], /^the body has 1 lines, but should have 2/],
    ['a number too large for 32 bits', '1e39,1', [], /fits 32-bit floating point/],
    ['a number too large for any float', '1e999,1', [], /fits 32-bit floating point .*, but is "1e999"$/],
    ['hexadecimal', '0x10,1', [], /should be a number/],
    [
      'an integer out of range',
      '300',
      [spec({ type: 'uint8', shape: [undefined] })],
      /^line 1, column 1 should be a whole number from 0 to 255/,
    ],
    ['quotes that do not close', '"a,b', [strings], /^line 1: the quotes do not match$/],
    ['text after quotes', '"a"b,c', [strings], /^line 1: the quotes do not match$/],
    [
      'a model with several inputs',
      '1',
      [spec(), spec({ name: 'z' })],
      /^text\/csv fits models with one input, and this one has 2: send application\/json$/,
    ],
    [
      'a model of three dimensions',
      '1',
      [spec({ shape: [1, 2, 3] })],
      /^text\/csv fits tables, and input x has the shape \[1, 2, 3\]: send application\/json$/,
    ],
  ])('is refused: %s', (_, body, inputs, message) => {
    expect(() => decode(body, ...inputs)).toThrow(
      expect.objectContaining({ code: 'ValidationError', message: expect.stringMatching(message) }),
    );
  });
});

describe('a CSV answer', () => {
  it('has the columns of all outputs side by side', () => {
    const label = tensor(['a', 'b,c'], [2], { type: 'string' });
    const probabilities = tensor(Float32Array.of(0.5, 0.25, 1, 0), [2, 2]);

    expect(encodeText(csvCodec, [label, probabilities], 'bare')).toBe('a,0.5,0.25\n"b,c",1,0\n');
  });

  it.each<[string, Tensor, string]>([
    ['a single number', tensor(Float32Array.of(0.5), []), '0.5\n'],
    ['numbers that are none', tensor(Float32Array.of(Number.NaN, -Infinity), [1, 2]), 'NaN,-Infinity\n'],
    [
      '64-bit integers in full',
      tensor(BigInt64Array.of(2n ** 63n - 1n), [1], { type: 'int64' }),
      '9223372036854775807\n',
    ],
    [
      'strings of nothing but white space in quotes, or their line would read as none',
      tensor(['', ' ', 'a'], [3], { type: 'string' }),
      '""\n" "\na\n',
    ],
    ['booleans', tensor(Uint8Array.of(1, 0), [2], { type: 'bool' }), 'true\nfalse\n'],
    [
      'rows of more than two dimensions in a line',
      tensor(Int8Array.of(1, 2, 3, 4), [1, 2, 2], { type: 'int8' }),
      '1,2,3,4\n',
    ],
  ])('has %s', (_, output, expected) => {
    expect(encodeText(csvCodec, [output], 'bare')).toBe(expected);
  });

  it('is refused where the outputs share no rows', () => {
    const outputs = [tensor(Float32Array.of(1, 2), [2]), tensor(Float32Array.of(1), [1], { name: 'total' })];

    expect(() => encodeText(csvCodec, outputs, 'bare')).toThrow(
      'the outputs y and total have 2 and 1 rows, which is no table: ask for application/json (Accept)',
    );
  });

  it.each(tensorTypes)('of %s reads back as the same tensor', (type) => {
    fc.assert(
      fc.property(anyTensor(type, fc.integer({ min: 1, max: 2 })), (x) => {
        // Strings with line breaks do not fit a line, and a lone empty string is an empty body.
        fc.pre(type !== 'string' || !(x.data as string[]).some((text) => text === '' || /[\r\n]/.test(text)));
        const decoded = decodeText(csvCodec, encodeText(csvCodec, [x], 'bare'), [
          { ...x, shape: x.shape.map(() => undefined) },
        ]);
        expect(decoded.tensors).toEqual([x]);
      }),
      { numRuns: 60 },
    );
  });
});
