import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor, TensorSpec } from '../../../../lib/engines/engine.ts';
import { jsonCodec } from '../../../../lib/protocol/codecs/json.ts';
import { decodeText, encodeText } from '../../../fixtures/codecs.ts';
import { anyTensor, spec, tensor, tensorTypes } from '../../../fixtures/tensors.ts';

const decode = (body: unknown, ...inputs: readonly TensorSpec[]) =>
  decodeText(
    jsonCodec,
    typeof body === 'string' ? body : JSON.stringify(body),
    inputs.length === 0 ? [spec()] : inputs,
  );
const ids = spec({ name: 'ids', type: 'int64', shape: [undefined] });
const mask = spec({ name: 'mask', type: 'bool', shape: [undefined, 2] });

describe('a JSON request', () => {
  const rows: Tensor = { name: 'x', type: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };

  it.each([
    [
      'instances',
      {
        instances: [
          [1, 2],
          [3, 4],
        ],
      },
      'instances',
    ],
    ['instances by name', { instances: [{ x: [1, 2] }, { x: [3, 4] }] }, 'instances'],
    [
      'inputs',
      {
        inputs: [
          [1, 2],
          [3, 4],
        ],
      },
      'inputs',
    ],
    [
      'inputs by name',
      {
        inputs: {
          x: [
            [1, 2],
            [3, 4],
          ],
        },
      },
      'inputs',
    ],
    [
      'a bare array',
      [
        [1, 2],
        [3, 4],
      ],
      'bare',
    ],
    [
      'a bare object by name',
      {
        x: [
          [1, 2],
          [3, 4],
        ],
      },
      'bare',
    ],
  ])('may be %s', (_, body, form) => {
    expect(decode(body)).toEqual({ form, tensors: [rows] });
  });

  it.each([
    [
      'instances',
      {
        instances: [
          { ids: 7, mask: [true, false] },
          { mask: [false, true], ids: 8 },
        ],
      },
    ],
    [
      'inputs',
      {
        inputs: {
          mask: [
            [true, false],
            [false, true],
          ],
          ids: [7, 8],
        },
      },
    ],
    [
      'bare',
      {
        ids: [7, 8],
        mask: [
          [true, false],
          [false, true],
        ],
      },
    ],
  ])('names the inputs of a model with several: %s', (form, body) => {
    expect(decode(body, ids, mask)).toEqual({
      form,
      tensors: [
        { name: 'ids', type: 'int64', shape: [2], data: BigInt64Array.of(7n, 8n) },
        { name: 'mask', type: 'bool', shape: [2, 2], data: Uint8Array.of(1, 0, 0, 1) },
      ],
    });
  });

  it('may be for a model whose input is called inputs', () => {
    const decoded = decode({ inputs: [[1, 2]] }, spec({ name: 'inputs' }));

    expect(decoded.tensors[0]?.name).toBe('inputs');
  });

  it('has numbers that are none as strings', () => {
    const { tensors } = decode([
      ['NaN', 'Infinity'],
      ['-Infinity', 0],
    ]);

    expect(tensors[0]?.data).toEqual(Float32Array.of(Number.NaN, Infinity, -Infinity, 0));
  });

  it('has 64-bit integers beyond 2^53 as strings', () => {
    const { tensors } = decode(['9223372036854775807', '-9223372036854775808', 5], ids);

    expect(tensors[0]?.data).toEqual(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 5n));
  });

  it('may be a single number where a model takes one', () => {
    expect(decode({ inputs: 3 }, spec({ shape: [] })).tensors).toEqual([
      { name: 'x', type: 'float32', shape: [], data: Float32Array.of(3) },
    ]);
  });
});

describe('a JSON request that does not fit', () => {
  it.each<[string, unknown, readonly TensorSpec[], RegExp]>([
    ['nothing', '', [], /^the body is empty: expected JSON, for example \{"instances"/],
    ['white space', ' \n', [], /^the body is empty/],
    ['no JSON', '{"instances": [[1, 2]', [], /^the body is not JSON: .* at position 21/],
    [
      'no JSON, in the middle',
      '{"instances": [[1, 2], [3, x]]}',
      [],
      /^the body is not JSON: Unexpected token 'x', .*\[3, x\]/,
    ],
    ['a number', '5', [], /^the body should be an array or an object .*, but is 5$/],
    ['null', 'null', [], /^the body should be an array or an object .*, but is null$/],
    [
      'both forms',
      { instances: [[1, 2]], inputs: [[1, 2]] },
      [],
      /^beside instances the body has "inputs": send instances alone/,
    ],
    ['another key', { inputs: [[1, 2]], parameters: {} }, [], /^beside inputs the body has "parameters"/],
    ['no rows', { instances: [] }, [], /^instances is empty: send at least one row$/],
    ['no array of rows', { instances: 5 }, [], /^instances should be an array of rows, but is 5$/],
    ['an empty row', { instances: [[]] }, [], /^instances\[0\] has 0 values, but should have 2/],
    ['an empty array', [], [spec({ shape: [undefined] })], /^the body is empty: send at least one value$/],
    [
      'too few dimensions',
      { instances: [1, 2] },
      [],
      /^instances should be arrays nested 2 deep \(input x has the shape \[any, 2\]\), but is nested 1 deep$/,
    ],
    [
      'too many dimensions',
      { inputs: [[[1, 2]]] },
      [],
      /^inputs should be arrays nested 2 deep .*, but is nested 3 deep$/,
    ],
    [
      'a value for an array',
      { inputs: 'abc' },
      [],
      /^inputs should be arrays nested 2 deep .*, but is "abc"$/,
    ],
    [
      'too many columns',
      { instances: [[1, 2, 3]] },
      [],
      /^instances\[0\] has 3 values, but should have 2 \(input x has the shape \[any, 2\]\)$/,
    ],
    [
      'a ragged row',
      { instances: [[1, 2], [3]] },
      [],
      /^instances\[1\] has 1 values, but instances\[0\] has 2: all must have as many$/,
    ],
    [
      'a row that is none',
      { instances: [[1, 2], null] },
      [],
      /^instances\[1\] should be an array of 2, but is null$/,
    ],
    [
      'null for a number',
      {
        instances: [
          [1, 2],
          [1, 2],
          [1, 2],
          [0, null],
        ],
      },
      [],
      /^instances\[3\]\[1\] should be a number .*\(input x is float32\), but is null$/,
    ],
    ['a string for a number', [['1', 2]], [], /^the body\[0\]\[0\] should be a number .*, but is "1"$/],
    [
      'an array for a number',
      [[1, [2]]],
      [],
      /^the body\[0\]\[1\] should be a number .*, but is an array of 1$/,
    ],
    ['NaN in an array for a number', [[1, ['NaN']]], [], /^the body\[0\]\[1\] should be a number/],
    [
      'a name that objects have anyway',
      [[1, 'constructor']],
      [],
      /^the body\[0\]\[1\] should be a number .*, but is "constructor"$/,
    ],
    [
      'a number too large for 32 bits',
      [[1, 1e39]],
      [],
      /should be a number that fits 32-bit floating point \(below 3\.4e38\)/,
    ],
    [
      'a fraction for an integer',
      [1.5],
      [spec({ type: 'int32', shape: [undefined] })],
      /should be a whole number from -2147483648 to 2147483647 .*, but is 1\.5$/,
    ],
    [
      'an integer out of range',
      [256],
      [spec({ type: 'uint8', shape: [undefined] })],
      /should be a whole number from 0 to 255 .*, but is 256$/,
    ],
    [
      'a negative unsigned integer',
      [-1],
      [spec({ type: 'uint64', shape: [undefined] })],
      /from 0 to 18446744073709551615/,
    ],
    ['an integer that lost digits', '[9007199254740993]', [ids], /as a string where it is beyond 2\^53/],
    [
      'an integer beyond 64 bits',
      ['9223372036854775808'],
      [ids],
      /from -9223372036854775808 to 9223372036854775807/,
    ],
    ['a string that is no integer', ['1e3'], [ids], /should be a whole number .*, but is "1e3"$/],
    [
      '1 for true',
      [[1, 0]],
      [mask],
      /^the body\[0\]\[0\] should be true or false \(input mask is bool\), but is 1$/,
    ],
    [
      'a number for a string',
      [5],
      [spec({ type: 'string', shape: [undefined] })],
      /should be a string .*, but is 5$/,
    ],
    [
      'a fixed batch of another size',
      [[1, 2]],
      [spec({ shape: [3, 2] })],
      /^the body has 1 values, but should have 3/,
    ],
    [
      'an unknown input',
      { inputs: { z: [[1, 2]] } },
      [],
      /^inputs names "z", which is no input of the model: it has x$/,
    ],
    [
      'a missing input',
      { ids: [1] },
      [ids, mask],
      /^the body lacks the input mask: the model has ids, mask$/,
    ],
    ['an input that objects have anyway', { toString: [1] }, [], /names "toString", which is no input/],
    ['an input named __proto__', '{"__proto__": [1]}', [], /names "__proto__", which is no input/],
    ['an empty object', {}, [], /^the body lacks the input x/],
    [
      'a row that lacks an input',
      { instances: [{ ids: 1, mask: [true, true] }, { ids: 1 }] },
      [ids, mask],
      /^instances\[1\] lacks the input mask/,
    ],
    [
      'a row that is no object',
      { instances: [{ x: [1, 2] }, [1, 2]] },
      [],
      /^instances\[1\] should be an object like instances\[0\], but is an array of 2$/,
    ],
    [
      'no names where there are several inputs',
      [[1, 2]],
      [ids, mask],
      /^the model has 2 inputs, so name them: \{"inputs": \{"ids": \.\.\., "mask": \.\.\.\}\}$/,
    ],
    [
      'a bad value in a named row',
      {
        instances: [
          { ids: 1, mask: [true, true] },
          { ids: 'x', mask: [true, true] },
        ],
      },
      [ids, mask],
      /^instances of ids\[1\] should be a whole number/,
    ],
  ])('is refused: %s', (_, body, inputs, message) => {
    expect(() => decode(body, ...inputs)).toThrow(
      expect.objectContaining({ code: 'ValidationError', message: expect.stringMatching(message) }),
    );
  });

  it.each([
    ['a long string', [['s'.repeat(5000), 1]]],
    ['a long name', { ['n'.repeat(5000)]: 1 }],
    ['a long body that is no JSON', `[${'s'.repeat(5000)}]`],
  ])('repeats little of %s', (_, body) => {
    const message = ((): string => {
      try {
        decode(body);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    })();

    expect(message).not.toBe('');
    expect(message.match(/[sn]{10,}/)?.[0]?.length ?? 0).toBeLessThanOrEqual(100);
  });

  it('is refused when it is nested a million deep, and not by a full stack', () => {
    expect(() => decode('['.repeat(1_000_000) + ']'.repeat(1_000_000))).toThrow(
      /nested 1000000 deep|not JSON/,
    );
  });
});

describe('a JSON answer', () => {
  const label = tensor(['a', 'b'], [2], { name: 'label', type: 'string' });
  const probabilities = tensor(Float32Array.of(0.5, 0.25, 1, 0), [2, 2], { name: 'probabilities' });

  it.each([
    ['bare', '["a","b"]'],
    ['instances', '{"predictions":["a","b"]}'],
    ['inputs', '{"outputs":["a","b"]}'],
  ] as const)('of one output mirrors a request of the form %s', (form, expected) => {
    expect(encodeText(jsonCodec, [label], form)).toBe(expected);
  });

  it.each([
    ['bare', '{"label":["a","b"],"probabilities":[[0.5,0.25],[1,0]]}'],
    ['inputs', '{"outputs":{"label":["a","b"],"probabilities":[[0.5,0.25],[1,0]]}}'],
    [
      'instances',
      '{"predictions":[{"label":"a","probabilities":[0.5,0.25]},{"label":"b","probabilities":[1,0]}]}',
    ],
  ] as const)('of several outputs mirrors a request of the form %s', (form, expected) => {
    expect(encodeText(jsonCodec, [label, probabilities], form)).toBe(expected);
  });

  it('names the outputs where they share no rows', () => {
    const total = tensor(Float32Array.of(9), [], { name: 'total' });

    expect(encodeText(jsonCodec, [label, total], 'instances')).toBe(
      '{"predictions":{"label":["a","b"],"total":9}}',
    );
  });

  it.each<[string, Tensor, string]>([
    ['a single number', tensor(Float32Array.of(0.5), []), '0.5'],
    ['no rows', tensor(new Float32Array(0), [0, 2]), '[]'],
    ['rows without columns', tensor(new Float32Array(0), [2, 0]), '[[],[]]'],
    ['three dimensions', tensor(Int8Array.of(1, 2, 3, 4), [2, 1, 2], { type: 'int8' }), '[[[1,2]],[[3,4]]]'],
    [
      'numbers that are none',
      tensor(Float64Array.of(Number.NaN, Infinity, -Infinity, 1), [2, 2], { type: 'float64' }),
      '[["NaN","Infinity"],["-Infinity",1]]',
    ],
    [
      'integers beyond 2^53',
      tensor(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)), [1, 2], { type: 'int64' }),
      '[[9223372036854775807,-9223372036854775808]]',
    ],
    ['booleans', tensor(Uint8Array.of(1, 0), [1, 2], { type: 'bool' }), '[[true,false]]'],
    ['strings to escape', tensor(['"', '\\\n'], [2], { type: 'string' }), '["\\"","\\\\\\n"]'],
  ])('has %s', (_, output, expected) => {
    expect(encodeText(jsonCodec, [output], 'bare')).toBe(expected);
  });

  it.each(tensorTypes)('of %s reads back as the same tensor, as long as integers are below 2^53', (type) => {
    fc.assert(
      fc.property(
        anyTensor(type, fc.integer({ min: 0, max: 3 })),
        fc.constantFrom('inputs', 'instances'),
        (x, form) => {
          fc.pre(form !== 'instances' || x.shape.length > 0);
          const value = encodeText(jsonCodec, [x], 'bare');
          const decoded = decodeText(jsonCodec, `{"${form}":${value}}`, [
            { ...x, shape: x.shape.map(() => undefined) },
          ]);
          expect(decoded).toEqual({ form, tensors: [x] });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is JSON, whatever the outputs', () => {
    const outputs = fc.array(
      fc.constantFrom(...tensorTypes).chain((type) => anyTensor(type, fc.integer({ min: 0, max: 3 }))),
      { minLength: 1, maxLength: 3 },
    );

    fc.assert(
      fc.property(outputs, fc.constantFrom('bare', 'instances', 'inputs'), (list, form) => {
        expect(() => JSON.parse(encodeText(jsonCodec, list, form))).not.toThrow();
      }),
    );
  });
});

describe('a JSON number beyond all floats', () => {
  it.each(['float32', 'float64'] as const)('is refused for %s, not taken for infinity', (type) => {
    const decode = () => decodeText(jsonCodec, '[[1, 1e999]]', [spec({ type })]);

    expect(decode).toThrow(/^the body\[0\]\[1\] should be a number that fits .*, but is Infinity$/);
  });
});

it('says in one line what is no JSON, whatever the lines of the body', () => {
  expect(() => decodeText(jsonCodec, '[1,\n\u0000\n.5]', [spec()])).toThrow(
    /^the body is not JSON: [^\n\r\0]+$/,
  );
});
