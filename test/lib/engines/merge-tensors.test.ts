import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../lib/engines/engine.ts';
import { mergeTensors, rowsOf, splitTensors } from '../../../lib/engines/merge-tensors.ts';

const floats = (rows: number, columns: number, first = 0, name = 'x'): Tensor => ({
  name,
  type: 'float32',
  shape: [rows, columns],
  data: Float32Array.from({ length: rows * columns }, (_, index) => first + index),
});

const strings = (...data: readonly string[]): Tensor => ({
  name: 's',
  type: 'string',
  shape: [data.length],
  data,
});

describe('requests as one', () => {
  it('come apart again as they were, whatever their sizes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        const requests = sizes.map((rows, index) => [
          floats(rows, 3, 100 * index),
          strings(...Array.from({ length: rows }, (_, row) => `${index}-${row}`)),
        ]);
        const merged = mergeTensors(requests);
        expect(merged?.[0]?.shape).toEqual([sizes.reduce((sum, rows) => sum + rows, 0), 3]);
        expect(splitTensors(merged ?? [], sizes)).toEqual(requests);
      }),
    );
  });

  it.each([
    ['other columns', [floats(1, 3)], [floats(1, 4)]],
    ['another name', [floats(1, 3)], [floats(1, 3, 0, 'y')]],
    [
      'another type',
      [floats(1, 3)],
      [{ ...floats(1, 3), type: 'float64' as const, data: new Float64Array(3) }],
    ],
    ['another rank', [floats(1, 3)], [{ ...floats(1, 3), shape: [1, 1, 3] }]],
    ['more inputs', [floats(1, 3)], [floats(1, 3), floats(1, 3, 0, 'y')]],
    ['no rows', [floats(1, 3)], [floats(0, 3)]],
    ['a single value', [{ ...floats(1, 1), shape: [] }], [{ ...floats(1, 1), shape: [] }]],
    ['rows that differ', [floats(2, 3), floats(1, 3, 0, 'y')], [floats(2, 3), floats(1, 3, 0, 'y')]],
  ])('do not fit with %s', (_, first, second) => {
    expect(mergeTensors([first, second])).toBeUndefined();
  });

  it('are not cut where a model does not answer row by row', () => {
    expect(splitTensors([floats(1, 3)], [1, 1])).toBeUndefined();
    expect(splitTensors([floats(2, 3), { ...floats(1, 1), shape: [] }], [1, 1])).toBeUndefined();
  });

  it('have no number of rows when there are none', () => {
    expect(rowsOf([])).toBeUndefined();
  });
});
