import { describe, expect, it } from 'vitest';
import { within } from '../../lib/within.ts';

describe('within', () => {
  it('gives what the work gives', async () => {
    expect(await within(10_000, Promise.resolve(7))).toBe(7);
  });

  it('gives nothing when the time is up first', async () => {
    expect(await within(1, new Promise(() => undefined))).toBeUndefined();
  });

  it('throws what the work throws', async () => {
    await expect(within(10_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('leaves a failure that comes too late unheard', async () => {
    const late = Promise.withResolvers<number>();

    expect(await within(1, late.promise)).toBeUndefined();
    late.reject(new Error('late'));

    await expect(late.promise).rejects.toThrow('late');
  });
});
