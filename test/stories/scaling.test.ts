import { describe, expect, it } from 'vitest';
import { virtualEndpoint } from './virtual-endpoint.ts';

const steady = (callsPerSecond: number) => () => callsPerSecond;

describe('the scaler, on a virtual clock', () => {
  it('pays for no worker through a quiet night, and reads almost no metrics', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'a.tar.gz': { rate: (minute) => (minute < 20 ? 0.5 : 0), callSeconds: 0.02 } },
    });
    await endpoint.run(60);
    const before = endpoint.metrics.read_();

    await endpoint.run(8 * 60);

    expect(endpoint.fleet.total()).toBe(0);
    expect(endpoint.fleet.calls.filter(({ text }) => text.startsWith('put'))).toEqual([]);
    expect(endpoint.metrics.read_() - before).toBe(2 * 8 * 60);
  });

  it('gives a model that becomes hot its workers within seven minutes, and its slow answers stop', async () => {
    const endpoint = virtualEndpoint({
      traffic: {
        'hot.tar.gz': { rate: (minute) => (minute < 10 ? 0.2 : 40), callSeconds: 0.1, slowShare: 0.03 },
        'other.tar.gz': { rate: steady(0.3), callSeconds: 0.02 },
      },
    });
    await endpoint.run(40);

    expect(await endpoint.hotModels()).toEqual(['hot.tar.gz']);
    const firstHot = endpoint.reports.findIndex(({ moves }) =>
      moves.some(({ action }) => action === 'warming -> hot'),
    );
    expect(firstHot).toBeLessThanOrEqual(17);
    expect(endpoint.servedBetween(0, 40).errors).toBe(0);
    const burst = endpoint.servedBetween(10, 15);
    const after = endpoint.servedBetween(20, 40);
    expect(burst.slow / burst.calls).toBeGreaterThan(0.02);
    expect(after.slow / after.calls).toBeLessThan(burst.slow / burst.calls / 10);
    expect(after.coldSlot).toBe(0);
  });

  it('lets ten warm models share one slot', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `warm-${index}.tar.gz`);
    const endpoint = virtualEndpoint({
      traffic: Object.fromEntries(names.map((name) => [name, { rate: steady(12), callSeconds: 0.025 }])),
    });
    for (const model of names) endpoint.store.rows.set(model, { model, sizeBytes: 20e6, loadMs: 40 });

    await endpoint.run(40);

    const routes = await endpoint.catalog.readRoutes();
    expect([...(routes?.hot.keys() ?? [])].sort()).toEqual(names.toSorted());
    expect(new Set([...(routes?.hot.values() ?? [])].map(({ functionName }) => functionName)).size).toBe(1);
  });

  it('shares a budget for six among ten groups', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `model-${index}.tar.gz`);
    const endpoint = virtualEndpoint({
      traffic: Object.fromEntries(names.map((name) => [name, { rate: steady(30), callSeconds: 0.3 }])),
      policy: {
        workerBudget: 6,
        hotGroups: Array.from({ length: 10 }, (_, index) => `hot-0${index}`),
      },
    });
    let most = 0;
    await endpoint.run(60, () => {
      most = Math.max(most, endpoint.fleet.total());
    });

    expect(most).toBe(6);
    expect(endpoint.workers()).toBe(6);
    const { decisions = [] } = (await endpoint.store.readPlan()) ?? {};
    expect(decisions.some(({ rule }) => rule === 'R8')).toBe(true);
    expect(endpoint.servedBetween(0, 60).errors).toBe(0);
  });

  it('lets go of a hot model when nobody has called it for its idle time', async () => {
    const endpoint = virtualEndpoint({
      traffic: {
        'hot.tar.gz': { rate: (minute) => (minute < 40 ? 40 : 0), callSeconds: 0.1 },
        'other.tar.gz': { rate: steady(0.3), callSeconds: 0.02 },
      },
    });
    await endpoint.run(40);
    expect(await endpoint.hotModels()).toEqual(['hot.tar.gz']);

    await endpoint.run(10);
    expect(await endpoint.hotModels()).toEqual(['hot.tar.gz']);
    await endpoint.run(12);

    expect(await endpoint.hotModels()).toEqual([]);
    expect(endpoint.fleet.total()).toBe(0);
    expect(endpoint.servedBetween(0, 70).errors).toBe(0);
  });

  it('does not flap when traffic does', async () => {
    const endpoint = virtualEndpoint({
      traffic: {
        'hot.tar.gz': { rate: (minute) => (Math.floor(minute) % 2 === 0 ? 60 : 20), callSeconds: 0.1 },
      },
    });
    await endpoint.run(30);
    const before = endpoint.fleet.calls.length;

    await endpoint.run(120);

    const changes = endpoint.fleet.calls.slice(before).filter(({ text }) => /^(put|remove)/.test(text));
    expect(changes.length).toBeLessThanOrEqual(2);
    expect(await endpoint.hotModels()).toEqual(['hot.tar.gz']);
  });

  it('moves nothing while CloudWatch is silent, and goes on when it speaks again', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'hot.tar.gz': { rate: steady(40), callSeconds: 0.1 } },
    });
    await endpoint.run(30);
    const workers = endpoint.fleet.total();
    expect(workers).toBeGreaterThan(0);

    endpoint.metrics.isSilent = true;
    await endpoint.run(60);

    expect(endpoint.fleet.total()).toBe(workers);
    expect(await endpoint.hotModels()).toEqual(['hot.tar.gz']);
    expect(endpoint.reports.at(-1)).not.toHaveProperty('settled');

    endpoint.metrics.isSilent = false;
    await endpoint.run(30);

    expect(endpoint.fleet.total()).toBe(workers);
  });

  it('scales down when it is the callers who are silent', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'hot.tar.gz': { rate: (minute) => (minute < 30 ? 40 : 0), callSeconds: 0.1 } },
    });

    await endpoint.run(60);

    expect(endpoint.fleet.total()).toBe(0);
    expect(await endpoint.hotModels()).toEqual([]);
  });

  it('rides out allocations that fail: on-demand goes on, and after three failures it rests for an hour', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'hot.tar.gz': { rate: steady(40), callSeconds: 0.1 } },
      policy: { hotGroups: ['hot-00'] },
    });
    endpoint.fleet.failing = 'Runtime.ExitError';

    await endpoint.run(60);

    expect(endpoint.servedBetween(0, 60).errors).toBe(0);
    expect(await endpoint.hotModels()).toEqual([]);
    const puts = endpoint.fleet.calls.filter(({ text }) => text.startsWith('put mme-hot-00'));
    expect(puts).toHaveLength(3);

    endpoint.fleet.failing = undefined;
    await endpoint.run(90);

    expect(await endpoint.hotModels()).toEqual(['hot.tar.gz']);
  });

  it('rides out a control plane that takes no calls', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'hot.tar.gz': { rate: steady(40), callSeconds: 0.1 } },
    });
    await endpoint.run(4);
    endpoint.fleet.isBusy = true;
    await endpoint.run(10);
    expect(endpoint.reports.every(({ outcome }) => outcome === 'done')).toBe(true);

    endpoint.fleet.isBusy = false;
    await endpoint.run(10);

    expect(await endpoint.hotModels()).toEqual(['hot.tar.gz']);
    expect(endpoint.servedBetween(0, 30).errors).toBe(0);
  });

  it('moves every slot to a new version without a cold call, and leaves nothing on the old one', async () => {
    const endpoint = virtualEndpoint({
      traffic: {
        'a.tar.gz': { rate: steady(90), callSeconds: 0.1 },
        'b.tar.gz': { rate: steady(100), callSeconds: 0.1 },
      },
    });
    await endpoint.run(30);
    expect((await endpoint.hotModels()).sort()).toEqual(['a.tar.gz', 'b.tar.gz']);

    endpoint.world.deployment = '2';
    endpoint.world.reportDelayMs = 100_000;
    for (const name of endpoint.fleet.live.keys()) endpoint.fleet.live.set(name, '2');
    await endpoint.run(30);

    const routes = await endpoint.catalog.readRoutes();
    expect([...(routes?.hot.values() ?? [])].map(({ qualifier }) => qualifier)).toEqual(['2', '2']);
    expect(endpoint.servedBetween(25, 60).coldSlot).toBe(0);
    for (const group of endpoint.policy.hotGroups) {
      expect((await endpoint.fleet.list(`mme-${group}`)).map(({ version }) => version)).not.toContain('1');
    }
  });

  it('lets a busier model take the place of another, and neither meets a cold slot or an error', async () => {
    const endpoint = virtualEndpoint({
      traffic: {
        'first.tar.gz': { rate: steady(90), callSeconds: 0.1 },
        'second.tar.gz': { rate: (minute) => (minute < 30 ? 0.1 : 300), callSeconds: 0.1 },
      },
      policy: { hotGroups: ['hot-00'] },
    });
    await endpoint.run(30);
    expect(await endpoint.hotModels()).toEqual(['first.tar.gz']);

    await endpoint.run(20);

    expect(await endpoint.hotModels()).toEqual(['second.tar.gz']);
    expect(endpoint.servedBetween(0, 50)).toMatchObject({ errors: 0, coldSlot: 0 });
  });

  it('stays on the old version when the new one cannot open its models', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'a.tar.gz': { rate: steady(90), callSeconds: 0.1 } },
    });
    await endpoint.run(30);
    endpoint.world.failsToOpen.add('a.tar.gz@2');
    endpoint.world.deployment = '2';
    for (const name of endpoint.fleet.live.keys()) endpoint.fleet.live.set(name, '2');

    await endpoint.run(30);

    const routes = await endpoint.catalog.readRoutes();
    expect([...(routes?.hot.values() ?? [])].map(({ qualifier }) => qualifier)).toEqual(['1']);
    expect(endpoint.servedBetween(25, 60).coldSlot).toBe(0);
    expect((await endpoint.fleet.list('mme-hot-00')).map(({ version }) => version)).toEqual(['1']);
  });
});
