import { beforeEach, describe, expect, it } from 'vitest';
import { createRateLimit, type RateLimit } from '../../../lib/auth/rate-limit.ts';

const MINUTE_MS = 60_000;
let nowMs: number;
let taken: Map<string, number>;
let reads: number;
let fails: boolean;

const router = (): RateLimit =>
  createRateLimit({
    permits: {
      take: async (id, minute, count, limit) => {
        reads++;
        if (fails) throw new Error('throttled');
        const before = taken.get(`${id} ${minute}`) ?? 0;
        taken.set(`${id} ${minute}`, before + count);
        return Math.max(0, Math.min(count, limit - before));
      },
    },
    now: () => nowMs,
    onError: () => undefined,
  });

const key = (callsPerMinute?: number, id = 'MMEKEY') => ({
  id,
  role: 'invoke' as const,
  models: ['*'],
  ...(callsPerMinute === undefined ? {} : { callsPerMinute }),
});

/** How many of so many calls, spread over routers, are let through. */
const letThrough = async (routers: readonly RateLimit[], calls: number, limit: number): Promise<number> => {
  const tries = Array.from({ length: calls }, (_, index) => routers[index % routers.length]?.(key(limit)));
  return (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled').length;
};

beforeEach(() => {
  nowMs = 1000 * MINUTE_MS + 12_500;
  [taken, reads, fails] = [new Map(), 0, false];
});

describe('the limit of a key', () => {
  it('is none where the key has none, and costs nothing then', async () => {
    await router()(key());
    expect(reads).toBe(0);
  });

  it.each([1, 7, 100, 1000])('%d a minute are let through by one router, and no more', async (limit) => {
    expect(await letThrough([router()], 2 * limit + 5, limit)).toBe(limit);
    expect(reads).toBeLessThanOrEqual(21);
  });

  it('is one limit for all routers', async () => {
    const passed = await letThrough([router(), router(), router()], 300, 100);
    expect(passed).toBe(100);
  });

  it('says how long the minute still is', async () => {
    const limited = router();
    await limited(key(1));
    await expect(limited(key(1))).rejects.toMatchObject({
      code: 'ThrottlingException',
      status: 429,
      retryAfterSeconds: 48,
      message: expect.stringContaining('1 calls a minute'),
    });
    nowMs += 48_000;
    await limited(key(1));
  });

  it('of one key is not that of another', async () => {
    const limited = router();
    await limited(key(1, 'A'));
    await expect(limited(key(1, 'A'))).rejects.toThrow();
    await limited(key(1, 'B'));
  });

  it("is each router's own while the table does not answer", async () => {
    fails = true;
    expect(await letThrough([router()], 50, 20)).toBe(20);
  });
});
