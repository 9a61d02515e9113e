import { describe, expect, it } from 'vitest';
import { virtualEndpoint } from './virtual-endpoint.ts';

class Killed extends Error {}

/** Ports of which call number `at`, counted over all of them, never returns: the process is gone before or after it. */
const killAt = (
  endpoint: ReturnType<typeof virtualEndpoint>,
  at: number,
  when: 'before' | 'after',
): (() => void) => {
  let calls = 0;
  const wrap = <Port extends object>(port: Port): (() => void) => {
    const originals = Object.entries(port).filter(([, value]) => typeof value === 'function');
    const isAsync =
      /^(read|readTop|liveVersion|list|put|remove|account|takeLease|readState|writeState|writePlan|readModels|listWishes|readRoutes|writeRoutes|listGroups|putGroup)$/;
    for (const [name, original] of originals) {
      if (!isAsync.test(name)) continue;
      Reflect.set(port, name, async (...args: unknown[]) => {
        calls++;
        if (calls === at && when === 'before') throw new Killed();
        const result: unknown = await Reflect.apply(original as () => unknown, port, args);
        if (calls === at && when === 'after') throw new Killed();
        return result;
      });
    }
    return () => {
      for (const [name, original] of originals) Reflect.set(port, name, original);
    };
  };
  const restore = [endpoint.metrics, endpoint.fleet, endpoint.store, endpoint.catalog].map(wrap);
  return () => {
    for (const each of restore) each();
  };
};

const storyOfPromotion = () =>
  virtualEndpoint({
    traffic: {
      'hot.tar.gz': { rate: (minute) => (minute < 30 ? 40 : 0), callSeconds: 0.1 },
      'other.tar.gz': { rate: () => 0.3, callSeconds: 0.02 },
    },
  });

/** How far the endpoint has come when nobody kills anything: the moves of each minute. */
const movingMinutes = async (): Promise<readonly number[]> => {
  const endpoint = storyOfPromotion();
  await endpoint.run(60);
  return endpoint.reports.flatMap(({ moves }, minute) => (moves.length > 0 ? [minute] : []));
};

describe('a scaler that is killed', () => {
  it('at any of its calls, in any minute that moves something, is repaired by the ticks that follow', async () => {
    const minutes = await movingMinutes();
    expect(minutes.length).toBeGreaterThan(4);
    let points = 0;

    for (const minute of minutes) {
      for (const when of ['before', 'after'] as const) {
        for (let at = 1; at < 60; at++) {
          const endpoint = storyOfPromotion();
          await endpoint.run(minute);
          endpoint.world.ticks = false;
          let isKilled = false;
          await endpoint.run(1, async () => {
            const restore = killAt(endpoint, at, when);
            await endpoint.tick().catch((error: unknown) => {
              if (!(error instanceof Killed)) throw error;
              isKilled = true;
            });
            restore();
          });
          if (!isKilled) break;
          points++;
          endpoint.world.ticks = true;

          const where = `minute ${minute}, killed ${when} call ${at}`;
          await endpoint.run(Math.max(0, 27 - minute));
          if (minute < 20) expect(await endpoint.hotModels(), where).toEqual(['hot.tar.gz']);
          await endpoint.run(40);

          expect(await endpoint.hotModels(), where).toEqual([]);
          expect(endpoint.fleet.total(), where).toBe(0);
          const all = endpoint.servedBetween(0, 200);
          expect(all.errors, where).toBe(0);
          expect(all.coldSlot, where).toBe(0);
        }
      }
    }
    expect(points).toBeGreaterThan(70);
  }, 60_000);

  it('does no harm beside a second one that runs at the same time', async () => {
    const endpoint = storyOfPromotion();
    endpoint.world.ticks = false;
    let mostWorkers = 0;

    await endpoint.run(75, async () => {
      const ticks = await Promise.all([endpoint.tick('a'), endpoint.tick('b')]);
      expect(ticks.filter(({ outcome }) => outcome === 'done').length).toBeLessThanOrEqual(1);
      mostWorkers = Math.max(mostWorkers, endpoint.fleet.total());
    });

    expect(mostWorkers).toBeLessThan(15);
    expect(await endpoint.hotModels()).toEqual([]);
    expect(endpoint.fleet.total()).toBe(0);
    expect(endpoint.servedBetween(0, 75)).toMatchObject({ errors: 0, coldSlot: 0 });
  });

  it('even without the lease, of two only one decides', async () => {
    const endpoint = storyOfPromotion();
    endpoint.world.ticks = false;
    endpoint.store.takeLease = async () => true;

    await endpoint.run(75, async () => {
      await Promise.all([endpoint.tick('a'), endpoint.tick('b')]);
    });

    expect(endpoint.reports.some(({ outcome }) => outcome === 'outrun')).toBe(true);
    expect(await endpoint.hotModels()).toEqual([]);
    expect(endpoint.fleet.total()).toBe(0);
    expect(endpoint.servedBetween(0, 75)).toMatchObject({ errors: 0, coldSlot: 0 });
  });
});
