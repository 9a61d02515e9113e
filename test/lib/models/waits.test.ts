import { describe, expect, it } from 'vitest';
import { Waits } from '../../../lib/models/waits.ts';

describe('Waits', () => {
  it('lets loads wait for each other in a line', async () => {
    const waits = new Waits();

    const done = waits.during('a', 'b', () => waits.during('b', 'c', async () => 'c'));

    expect(await done).toBe('c');
  });

  it('refuses what would wait for itself', async () => {
    await expect(new Waits().during('a', 'a', async () => 1)).rejects.toThrow(
      'workflows must not need each other: a -> a',
    );
  });

  it('refuses the wait that would close a circle, whoever came first, and forgets it after', async () => {
    const waits = new Waits();
    const gate = Promise.withResolvers<void>();
    const first = waits.during('a', 'b', () => gate.promise);
    const second = waits.during('b', 'c', () => gate.promise);

    await expect(waits.during('c', 'a', async () => 1)).rejects.toMatchObject({
      code: 'ModelError',
      message: 'workflows must not need each other: c -> a -> b -> c',
    });

    gate.resolve();
    await Promise.all([first, second]);
    expect(await waits.during('c', 'a', async () => 1)).toBe(1);
  });
});
