import { describe, expect, it } from 'vitest';
import { cachedRoutes } from '../../../lib/catalog/cached-routes.ts';
import type { Routes } from '../../../lib/catalog/routes.ts';
import { routes } from '../../fakes/builders.ts';

const setUp = () => {
  const world = { nowMs: 0, reads: 0, source: routes({ epoch: 1 }) as Routes | undefined | Error };
  const errors: unknown[] = [];
  const cached = cachedRoutes({
    source: {
      readRoutes: async () => {
        world.reads++;
        if (world.source instanceof Error) throw world.source;
        return world.source;
      },
    },
    fallback: routes({ epoch: 0 }),
    ttlMs: 5000,
    now: () => world.nowMs,
    onError: (error) => errors.push(error),
  });
  const epoch = async (): Promise<number> => (await cached.current()).epoch;
  return { world, errors, epoch, cached };
};

describe('cachedRoutes', () => {
  it('reads once per period, however many calls there are', async () => {
    const { world, epoch } = setUp();

    for (world.nowMs = 0; world.nowMs < 5000; world.nowMs += 100) await epoch();

    expect(world.reads).toBe(1);
  });

  it('sees a change at the first call after the period', async () => {
    const { world, epoch } = setUp();
    await epoch();
    world.source = routes({ epoch: 2 });

    world.nowMs = 4999;
    expect(await epoch()).toBe(1);
    world.nowMs = 5000;
    expect(await epoch()).toBe(2);
  });

  it('shares one read between calls that come together', async () => {
    const { world, cached } = setUp();

    await Promise.all([cached.current(), cached.current(), cached.current()]);

    expect(world.reads).toBe(1);
  });

  it('uses the fallback until routes have been written', async () => {
    const { world, epoch } = setUp();
    world.source = undefined;

    expect(await epoch()).toBe(0);
  });

  it('serves from the fallback when the table was never readable', async () => {
    const { world, epoch, errors } = setUp();
    world.source = new Error('table is down');

    expect(await epoch()).toBe(0);
    expect(errors).toHaveLength(1);
  });

  it('goes on with the last known routes while the table is down, asking once per period', async () => {
    const { world, epoch, errors } = setUp();
    await epoch();
    world.source = new Error('table is down');

    for (world.nowMs = 5000; world.nowMs < 15_000; world.nowMs += 1000) expect(await epoch()).toBe(1);

    expect(errors).toHaveLength(2);
  });
});
