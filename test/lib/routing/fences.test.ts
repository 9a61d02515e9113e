import { beforeEach, describe, expect, it } from 'vitest';
import type { Fence, Routes } from '../../../lib/catalog/routes.ts';
import { ServingError } from '../../../lib/errors.ts';
import { fenceMs, withFences } from '../../../lib/routing/fences.ts';
import { call, routes } from '../../fakes/builders.ts';

let nowMs: number;
let crashes: Map<string, number>;
let levels: Map<string, number>;
let fences: Map<string, Fence>;
let dispatched: number;
let isDeadly: boolean;
let isStoreDown: boolean;

const lost = new ServingError('ServiceUnavailable', 'the worker was lost', { isWorkerLost: true });

const router = (own: Routes = routes()) => {
  const dispatch = withFences(
    async () => {
      dispatched++;
      if (isDeadly) throw lost;
      return { ok: true, contentType: 'text/csv', body: '1' };
    },
    {
      store: {
        noteCrash: async (model, window) => {
          if (isStoreDown) throw new Error('table down');
          const key = `${model} ${window}`;
          crashes.set(key, (crashes.get(key) ?? 0) + 1);
          return crashes.get(key) ?? 0;
        },
        raise: async (model, reason, atMs, past) => {
          for (const name of past) fences.delete(name);
          levels.set(model, (levels.get(model) ?? 0) + 1);
          const fence = { untilMs: atMs + fenceMs(levels.get(model) ?? 1), reason };
          fences.set(model, fence);
          return fence;
        },
      },
      now: () => nowMs,
      onError: () => undefined,
    },
  );
  return (model = 'm.tar.gz', current: Routes = own) => dispatch(current, call({ model }));
};

const crash = async (invoke: ReturnType<typeof router>, times: number): Promise<void> => {
  isDeadly = true;
  for (let time = 0; time < times; time++) await invoke().catch(() => undefined);
  isDeadly = false;
};

beforeEach(() => {
  nowMs = 600_000_000;
  [crashes, levels, fences] = [new Map(), new Map(), new Map()];
  [dispatched, isDeadly, isStoreDown] = [0, false, false];
});

describe('a model that takes its workers down', () => {
  it('is fenced off after the third, with the reason and the time, and its neighbours are not', async () => {
    const invoke = router();
    await crash(invoke, 3);
    await expect(invoke()).rejects.toMatchObject({
      code: 'ModelError',
      retryAfterSeconds: 30,
      message: expect.stringMatching(/fenced off until .* \(the worker was lost\)/),
    });
    expect(dispatched).toBe(3);
    expect(await invoke('other.tar.gz')).toMatchObject({ ok: true });
  });

  it('is tried again when the time is up, and fenced for twice as long if it does it again', async () => {
    const invoke = router();
    await crash(invoke, 3);
    nowMs += 30_000;
    expect(await invoke()).toMatchObject({ ok: true });
    await crash(invoke, 1);
    await expect(invoke()).rejects.toMatchObject({ retryAfterSeconds: 60 });
  });

  it('is fenced off by all routers, of which none has seen three', async () => {
    const [first, second, third] = [router(), router(), router()];
    for (const each of [first, second, third]) await crash(each, 1);
    expect(fences.has('m.tar.gz')).toBe(true);
    expect(await first()).toMatchObject({ ok: true });
    await expect(first('m.tar.gz', routes({ fences }))).rejects.toThrow('fenced off');
  });

  it('is served again as soon as the routes say no more of it', async () => {
    const invoke = router();
    await crash(invoke, 3);
    await expect(invoke()).rejects.toThrow('fenced off');
    expect(await invoke('m.tar.gz', routes())).toMatchObject({ ok: true });
  });

  it('is not fenced off for what happens to it once in a while', async () => {
    const invoke = router();
    for (let round = 0; round < 5; round++) {
      await crash(invoke, 1);
      for (let index = 0; index < 20; index++) await invoke();
    }
    expect(fences.size).toBe(0);
  });

  it('may have three in an hour', async () => {
    const invoke = router();
    for (let round = 0; round < 3; round++) {
      await crash(invoke, 1);
      nowMs += 1_200_000;
    }
    expect(fences.size).toBe(0);
  });

  it('is answered as before while the table does not answer', async () => {
    isStoreDown = true;
    isDeadly = true;
    await expect(router()()).rejects.toBe(lost);
  });
});

it.each([
  [1, 30],
  [2, 60],
  [7, 1920],
  [8, 3600],
  [40, 3600],
])('the %dth fence is for %d s', (level, seconds) => {
  expect(fenceMs(level)).toBe(1000 * seconds);
});
