import { describe, expect, it } from 'vitest';
import { ensemble } from '../../../../lib/engines/workflow/ensemble.ts';
import { tensor } from '../../../fixtures/tensors.ts';

describe('ensemble', () => {
  it('is the mean of numbers with a fraction, and changes none of what it was given', () => {
    const first = tensor(Float32Array.of(1, 2), [2]);

    expect(ensemble([[first], [tensor(Float32Array.of(3, 6), [2])]])).toEqual([
      tensor(Float32Array.of(2, 4), [2]),
    ]);

    expect(first.data).toEqual(Float32Array.of(1, 2));
  });

  it.each([
    ['labels', 'string' as const, [['a'], ['b'], ['b']], ['b']],
    [
      '64-bit integers',
      'int64' as const,
      [BigInt64Array.of(7n), BigInt64Array.of(2n ** 60n), BigInt64Array.of(2n ** 60n)],
      BigInt64Array.of(2n ** 60n),
    ],
    [
      'integers, the earliest of equals',
      'int32' as const,
      [Int32Array.of(5), Int32Array.of(4)],
      Int32Array.of(5),
    ],
  ])('is the most frequent of %s', (_, type, votes, expected) => {
    const answers = votes.map((data) => [tensor(data, [1], { type })]);

    expect(ensemble(answers)[0]?.data).toEqual(expected);
  });

  it('keeps the labels of the first', () => {
    const scores = tensor(Float32Array.of(0.5, 0.5), [1, 2], { labels: ['no', 'yes'] });

    expect(ensemble([[scores], [scores]])[0]?.labels).toEqual(['no', 'yes']);
  });

  it.each([
    ['shapes', [tensor(Float32Array.of(1, 2), [2])], [tensor(Float32Array.of(1), [1])]],
    ['types', [tensor(Float32Array.of(1), [1])], [tensor(Float64Array.of(1), [1], { type: 'float64' })]],
    ['numbers of outputs', [tensor(Float32Array.of(1), [1])], []],
  ])('refuses other %s', (_, one, other) => {
    expect(() => ensemble([one, other])).toThrow(
      /^workflow: ensemble takes outputs of the same types and shapes, but was given/,
    );
  });
});
