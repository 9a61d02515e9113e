import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TensorData, TensorSpec, TensorType } from '../../../../lib/engines/engine.ts';
import { parseTensors } from '../../../../lib/engines/javascript/tensors.ts';
import { anyTensor, spec, tensorTypes } from '../../../fixtures/tensors.ts';

const parseOne = (value: unknown, overrides: Partial<TensorSpec> = {}) =>
  parseTensors([spec(overrides)], { x: value }, 'output')[0];
const ok = (overrides: object = {}) => ({
  type: 'float32',
  shape: [1, 2],
  data: Float32Array.of(1, 2),
  ...overrides,
});

describe('parseTensors', () => {
  it('takes what was declared, with the labels that were declared', () => {
    expect(parseOne(ok(), { labels: ['a', 'b'] })).toEqual({
      name: 'x',
      type: 'float32',
      shape: [1, 2],
      data: Float32Array.of(1, 2),
      labels: ['a', 'b'],
    });
  });

  it('takes every tensor as plain numbers as it takes it typed', () => {
    const any = fc
      .constantFrom(...tensorTypes)
      .chain((type) => anyTensor(type, fc.integer({ min: 0, max: 3 })));
    fc.assert(
      fc.property(any, ({ type, shape, data }) => {
        const declared = { type, shape: shape.map(() => undefined) };

        const typed = parseOne({ type, shape, data }, declared);

        expect(typed?.data).toEqual(data);
        expect(parseOne({ type, shape, data: Array.from(data as Iterable<unknown>) }, declared)).toEqual(
          typed,
        );
      }),
    );
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'expected the outputs x as an object by name, and came undefined'],
    ['null', null, 'as an object by name, and came null'],
    ['an array', [ok()], 'as an object by name, and came an array'],
    ['bytes', new Uint8Array(8), 'as an object by name, and came a Uint8Array'],
    ['another name', { x: ok(), z: ok() }, 'output z is not declared: there are x'],
    ['no tensor', {}, 'output x should be {type, shape, data}, and is undefined'],
    [
      'data alone',
      { x: Float32Array.of(1, 2) },
      'output x should be {type, shape, data}, and is a Float32Array',
    ],
  ])('refuses %s', (_, value, message) => {
    expect(() => parseTensors([spec()], value, 'output')).toThrow(message);
  });

  it.each<[object, string]>([
    [{ type: 'float64' }, 'output x should be of the type float32, and is float64'],
    [{ type: undefined }, 'output x should be of the type float32, and is undefined'],
    [{ type: { toString: 1 } }, 'output x should be of the type float32, and is an object'],
    [{ shape: undefined }, 'output x should have the shape [?, 2], and has undefined'],
    [{ shape: [2] }, 'output x should have the shape [?, 2], and has [2]'],
    [{ shape: [1, 3] }, 'output x should have the shape [?, 2], and has [1, 3]'],
    [{ shape: [-1, 2] }, 'output x should have the shape [?, 2], and has [-1, 2]'],
    [{ shape: [0.5, 2] }, 'and has [0.5, 2]'],
    [{ shape: [Number.NaN, 2] }, 'and has [NaN, 2]'],
    [{ shape: ['1', 2] }, 'output x should have the shape [?, 2]'],
    [{ shape: [2, 2] }, 'output x should hold 4 elements by its shape, and holds 2'],
    [{ shape: [2 ** 52, 2] }, 'output x should hold 9007199254740992 elements by its shape, and holds 2'],
    [{ data: undefined }, 'output x should hold a Float32Array, and holds undefined'],
    [{ data: Float64Array.of(1, 2) }, 'output x should hold a Float32Array, and holds a Float64Array'],
    [{ data: { 0: 1, 1: 2, length: 2 } }, 'output x should hold a Float32Array, and holds an object'],
    [{ data: '12' }, 'output x should hold a Float32Array, and holds 12'],
    [{ data: [1] }, 'output x should hold 2 elements by its shape, and holds 1'],
    [{ data: [1, '2'] }, 'output x should hold float32, and element 1 is 2'],
    [{ data: [1, null] }, 'output x should hold float32, and element 1 is null'],
    [{ data: new Array(2) }, 'output x should hold float32, and element 0 is undefined'],
    [{ data: [1, [2]] }, 'output x should hold float32, and element 1 is an array'],
    [{ data: [1, 1e39] }, 'output x should hold float32, and element 1 is 1e+39'],
  ])('refuses %j', (overrides, message) => {
    expect(() => parseOne(ok(overrides))).toThrow(message);
  });

  it.each<[TensorType, readonly unknown[] | TensorData]>([
    ['int8', [128]],
    ['uint8', [-1]],
    ['uint8', [1.5]],
    ['int32', [2 ** 31]],
    ['uint32', [Number.NaN]],
    ['int64', [2n ** 63n]],
    ['int64', [2 ** 53]],
    ['int64', [0.5]],
    ['uint64', [-1n]],
    ['uint64', ['1']],
    ['float16', [70_000]],
    ['bool', [2]],
    ['bool', ['true']],
    ['bool', Uint8Array.of(2)],
    ['string', [1]],
    ['string', new Array(1)],
  ])('refuses as %s: %o', (type, data) => {
    expect(() => parseOne({ type, shape: [1], data }, { type, shape: [1] })).toThrow(
      /^output x should hold /,
    );
  });

  it('takes true and false for bool, and infinities for floats', () => {
    expect(
      parseOne({ type: 'bool', shape: [2], data: [true, 0] }, { type: 'bool', shape: [2] })?.data,
    ).toEqual(Uint8Array.of(1, 0));
    expect(parseOne(ok({ data: [Number.POSITIVE_INFINITY, Number.NaN] }))?.data).toEqual(
      Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN),
    );
  });

  it('keeps no memory that the thread shares', () => {
    const shared = new Float32Array(new SharedArrayBuffer(8)).fill(1);

    const parsed = parseOne(ok({ data: shared }));
    shared.fill(9);

    expect(parsed?.data).toEqual(Float32Array.of(1, 1));
  });

  it('reads each field once: a getter may change its mind', () => {
    let reads = 0;
    const value = Object.defineProperty(ok(), 'data', {
      get: () => {
        reads += 1;
        return reads === 1 ? [1, 2] : 'changed';
      },
    });

    expect(parseOne(value)?.data).toEqual(Float32Array.of(1, 2));
  });
});
