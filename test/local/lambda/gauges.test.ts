import { describe, expect, it } from 'vitest';
import { createZeroFilter } from '../../../local/lambda/gauges.ts';

const gauge = (value: number, name = 'ConcurrentExecutions') => ({
  name,
  unit: 'Count',
  dimensions: {},
  value,
});

describe('what is told of gauges', () => {
  it('leaves out what is zero, but for the first time after it was not', () => {
    const withoutZeros = createZeroFilter();

    const told = [0, 2, 1, 0, 0, 3].map((value) => withoutZeros([gauge(value)]).map((each) => each.value));

    expect(told).toEqual([[], [2], [1], [0], [], [3]]);
  });

  it('is zero once where a gauge is there no more', () => {
    const withoutZeros = createZeroFilter();
    withoutZeros([gauge(2, 'ProvisionedConcurrentExecutions')]);

    expect(withoutZeros([])).toEqual([gauge(0, 'ProvisionedConcurrentExecutions')]);
    expect(withoutZeros([])).toEqual([]);
  });
});
