import { describe, expect, it } from 'vitest';
import { parseSpecs } from '../../../../lib/engines/javascript/specs.ts';

const spec = (overrides: object = {}) => ({ name: 'y', type: 'float32', shape: [null, 2], ...overrides });

describe('parseSpecs', () => {
  it('takes null and undefined for a dimension that varies, and nothing for no tensors', () => {
    expect(parseSpecs([spec({ shape: [null, undefined, 0, 3] })], 'outputs')).toEqual([
      { name: 'y', type: 'float32', shape: [undefined, undefined, 0, 3] },
    ]);
    expect(parseSpecs(undefined, 'outputs')).toBeUndefined();
  });

  it('keeps labels, and nothing that it does not know', () => {
    const specs = parseSpecs([spec({ labels: ['no', 'yes'], description: 'churn' })], 'outputs');

    expect(specs).toEqual([{ name: 'y', type: 'float32', shape: [undefined, 2], labels: ['no', 'yes'] }]);
  });

  it.each<[unknown, string]>([
    [null, 'outputs should be an array of {name, type, shape}'],
    [{}, 'outputs should be an array of {name, type, shape}'],
    [[1], 'outputs[0] should be {name, type, shape}'],
    [new Array(1), 'outputs[0] should be {name, type, shape}'],
    [[spec({ name: undefined })], 'outputs[0].name should be a string'],
    [[spec({ name: '' })], 'outputs[0].name should be a string'],
    [[spec({ type: 'float' })], 'outputs[0].type should be one of float32, '],
    [[spec({ shape: undefined })], 'outputs[0].shape should be an array'],
    [[spec({ shape: [1, -1] })], 'outputs[0].shape[1] should be a whole number from 0 on, or null'],
    [[spec({ shape: ['n'] })], 'outputs[0].shape[0] should be a whole number'],
    [[spec(), spec()], 'outputs names y twice'],
    [[spec({ labels: [1, 2] })], 'outputs[0].labels should be an array of strings'],
    [[spec({ labels: ['a'] })], 'outputs[0].labels has 1 labels for 2 columns'],
  ])('refuses %j', (value, message) => {
    expect(() => parseSpecs(value, 'outputs')).toThrow(message);
  });
});
