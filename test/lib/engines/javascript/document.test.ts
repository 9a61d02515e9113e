import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeJson } from '../../../../lib/engines/javascript/document.ts';

describe('encodeJson', () => {
  it('writes every JSON value as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(encodeJson(value)).toBe(JSON.stringify(value));
      }),
    );
  });

  it.each<[string, unknown, string]>([
    ['leaves out fields that are undefined', { a: undefined, b: 1 }, '{"b":1}'],
    ['asks a date for its text', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [
      'writes the fields of an instance',
      new (class {
        a = 1;
      })(),
      '{"a":1}',
    ],
    ['writes an object without a prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
  ])('%s', (_, value, json) => {
    expect(encodeJson(value)).toBe(json);
  });

  it.each<[unknown, string]>([
    [[undefined], 'the answer[0] is undefined, which JSON cannot say'],
    [new Array(1), 'the answer[0] is undefined'],
    [{ a: { b: Number.POSITIVE_INFINITY } }, 'the answer.a.b is Infinity'],
    [{ a: new Set([1]) }, 'the answer.a is a Set, which JSON cannot say: make it an array or an object'],
    [new ArrayBuffer(1), 'the answer is a ArrayBuffer'],
    [{ toJSON: () => () => 1 }, 'the answer is a function'],
  ])('refuses what JSON.stringify would change in silence: %o', (value, message) => {
    expect(() => encodeJson(value)).toThrow(message);
  });

  it('refuses what is too deep for the stack of whoever reads it', () => {
    const nest = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

    expect(encodeJson(nest(501))).toHaveLength(1002);
    expect(() => encodeJson(nest(502))).toThrow('circular, or deeper than 500 levels');
    expect(() =>
      encodeJson({
        toJSON: function self() {
          return { toJSON: self };
        },
      }),
    ).toThrow('circular');
  });
});
