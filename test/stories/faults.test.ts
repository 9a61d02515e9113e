import { describe, expect, it } from 'vitest';
import { ControlPlaneBusy, Refused } from '../../lib/scaling/fleet.ts';
import { virtualEndpoint } from './virtual-endpoint.ts';

type Endpoint = ReturnType<typeof virtualEndpoint>;

const steady = (callsPerSecond: number) => () => callsPerSecond;
const HOT = { 'a.tar.gz': { rate: steady(40), callSeconds: 0.1 } };

const deploy = (endpoint: Endpoint, version: string): void => {
  endpoint.world.deployment = version;
  for (const name of endpoint.fleet.live.keys()) endpoint.fleet.live.set(name, version);
};
const versionsOf = async (endpoint: Endpoint, group = 'hot-00'): Promise<readonly string[]> =>
  (await endpoint.fleet.list(`mme-${group}`)).map(({ version, requested }) => `${version}: ${requested}`);
const stages = async (endpoint: Endpoint): Promise<Record<string, string>> =>
  Object.fromEntries(
    [...((await endpoint.store.readState())?.models ?? [])].map(([model, { stage }]) => [model, stage]),
  );
const changes = (endpoint: Endpoint): number =>
  endpoint.fleet.calls.filter(({ text }) => /^(put|remove)/.test(text)).length;

describe('a deployment that goes wrong', () => {
  it('leaves the old workers alone when those of the new version do not come', async () => {
    const endpoint = virtualEndpoint({ traffic: HOT });
    await endpoint.run(30);
    const before = changes(endpoint);
    endpoint.fleet.failingVersions.add('2');
    deploy(endpoint, '2');

    await endpoint.run(120);

    expect(endpoint.servedBetween(30, 150).coldSlot).toBe(0);
    expect(await versionsOf(endpoint)).toContain('1: 6');
    // Tried again every half an hour.
    expect(changes(endpoint) - before).toBeLessThanOrEqual(10);
  });

  it('reaches a slot that has more than half of the budget, all the same', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'a.tar.gz': { rate: steady(90), callSeconds: 0.1 } },
      policy: { workerBudget: 15 },
    });
    await endpoint.run(30);
    deploy(endpoint, '2');

    await endpoint.run(60, () => expect(endpoint.fleet.total()).toBeLessThanOrEqual(15));

    expect(await versionsOf(endpoint)).toEqual(['2: 13']);
    expect(endpoint.servedBetween(30, 90).coldSlot).toBe(0);
  });

  it('leaves no version behind when a second one follows, good or bad', async () => {
    for (const third of ['good', 'bad']) {
      const endpoint = virtualEndpoint({ traffic: HOT, policy: { workerBudget: 15 } });
      await endpoint.run(30);
      deploy(endpoint, '2');
      if (third === 'bad') endpoint.fleet.failingVersions.add('3');
      await endpoint.run(20, async () => {
        const [target] = (await endpoint.catalog.readRoutes())?.hot.values() ?? [];
        if (target?.qualifier === '2' && endpoint.world.deployment === '2') deploy(endpoint, '3');
      });

      await endpoint.run(100);

      expect(await versionsOf(endpoint)).not.toContain('1: 6');
      expect(await versionsOf(endpoint)).toContain(third === 'good' ? '3: 6' : '2: 6');
    }
  });

  it('is finished though the report of the new workers is lost', async () => {
    const endpoint = virtualEndpoint({ traffic: HOT });
    await endpoint.run(30);
    const report = endpoint.catalog.report.bind(endpoint.catalog);
    endpoint.catalog.report = (group, version, reports) => {
      if (version !== '2') report(group, version, reports);
    };
    deploy(endpoint, '2');

    await endpoint.run(60);

    expect(await versionsOf(endpoint)).toEqual(['2: 6']);
  });

  it('is tried again when what kept the new version from opening a model has passed', async () => {
    const endpoint = virtualEndpoint({ traffic: HOT });
    await endpoint.run(30);
    endpoint.world.failsToOpen.add('a.tar.gz@2');
    deploy(endpoint, '2');
    await endpoint.run(20);
    expect(await versionsOf(endpoint)).toEqual(['1: 6']);
    endpoint.world.failsToOpen.clear();

    await endpoint.run(60);

    expect(await versionsOf(endpoint)).toEqual(['2: 6']);
  });
});

describe('workers that do not come', () => {
  it('take none of those along that are there', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'a.tar.gz': { rate: (minute) => (minute < 30 ? 40 : 90), callSeconds: 0.1 } },
    });
    await endpoint.run(30);
    endpoint.fleet.failing = 'InsufficientCapacity';
    await endpoint.run(15);
    endpoint.fleet.failing = undefined;
    await endpoint.run(80);

    expect(endpoint.servedBetween(30, 125).coldSlot).toBe(0);
    expect(endpoint.workersOf('hot-00')).toBeGreaterThan(6);
  });

  it('are not asked for each minute where Lambda refuses, and their model is not warming for ever', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'a.tar.gz': { rate: (minute) => (minute < 60 ? 40 : 0), callSeconds: 0.1 } },
    });
    let puts = 0;
    endpoint.fleet.put = async () => {
      puts++;
      throw new Refused('over the limit');
    };

    await endpoint.run(180);

    expect(await stages(endpoint)).toEqual({});
    expect(puts).toBeLessThan(20);
  });

  it('are asked for by nobody where the account has none to give', async () => {
    const endpoint = virtualEndpoint({ traffic: HOT, limit: 10 });

    await endpoint.run(30);

    expect(await stages(endpoint)).toEqual({});
    expect(changes(endpoint)).toBe(0);
  });

  it('come to the shard where the slot gets none', async () => {
    const endpoint = virtualEndpoint({ traffic: HOT, policy: { hotGroups: ['hot-00'] } });
    const put = endpoint.fleet.put;
    endpoint.fleet.put = async (name, version, workers) => {
      if (name.includes('hot')) throw new Refused('no');
      await put(name, version, workers);
    };

    await endpoint.run(60);

    expect(endpoint.fleet.total()).toBe(6);
  });

  it('because of one model, cost its neighbour no more than a move', async () => {
    const endpoint = virtualEndpoint({
      traffic: {
        'good.tar.gz': { rate: steady(40), callSeconds: 0.1 },
        'poison.tar.gz': { rate: (minute) => (minute < 20 ? 0 : 30), callSeconds: 0.1 },
      },
    });
    for (const model of ['good.tar.gz', 'poison.tar.gz']) {
      endpoint.store.rows.set(model, { model, sizeBytes: 1e6, loadMs: 50 });
    }
    const residents = new Map<string, readonly string[]>();
    const putGroup = endpoint.catalog.putGroup;
    endpoint.catalog.putGroup = async (group) => {
      residents.set(group.functionName, group.models);
      await putGroup(group);
    };
    endpoint.fleet.failingFor = (name) => residents.get(name)?.includes('poison.tar.gz') === true;

    await endpoint.run(120);

    expect(await endpoint.hotModels()).toContain('good.tar.gz');
    expect(endpoint.servedBetween(0, 120).errors).toBe(0);
    expect((await stages(endpoint))['good.tar.gz']).toBe('hot');
  });
});

describe('a control plane that says little', () => {
  it('is no reason to spend more than the budget', async () => {
    const endpoint = virtualEndpoint({
      traffic: {
        'a.tar.gz': { rate: steady(90), callSeconds: 0.1 },
        'b.tar.gz': { rate: (minute) => (minute < 12 ? 0.1 : 100), callSeconds: 0.1 },
      },
      policy: { workerBudget: 6 },
    });
    const list = endpoint.fleet.list;

    await endpoint.run(60, (minute) => {
      if (minute === 6) {
        endpoint.fleet.list = async () => {
          throw new ControlPlaneBusy('Rate exceeded');
        };
      }
      if (minute === 40) endpoint.fleet.list = list;
      expect(endpoint.fleet.total()).toBeLessThanOrEqual(6);
    });
  });

  it('about one function keeps the others from nothing', async () => {
    const endpoint = virtualEndpoint({ traffic: HOT });
    const list = endpoint.fleet.list;
    endpoint.fleet.list = async (name) => {
      if (name === 'mme-cold-03') throw Object.assign(new Error('internal'), { name: 'ServiceException' });
      return list(name);
    };

    await endpoint.run(20);

    expect(await endpoint.hotModels()).toEqual(['a.tar.gz']);
    expect(endpoint.faults.length).toBeGreaterThan(0);
  });
});

describe('what workers say of models', () => {
  it('may stop without a hot model going cold, as long as its slot is called', async () => {
    const endpoint = virtualEndpoint({ traffic: HOT });
    await endpoint.run(30);
    const add = endpoint.metrics.add.bind(endpoint.metrics);
    endpoint.metrics.add = (name, ...rest) => {
      if (!name.startsWith('Model')) add(name, ...rest);
    };

    await endpoint.run(30);

    expect(await endpoint.hotModels()).toEqual(['a.tar.gz']);
  });

  it('does not make shards double again before it is of the new ones', async () => {
    const endpoint = virtualEndpoint({
      traffic: { 'a.tar.gz': { rate: steady(2.4), callSeconds: 0.02 } },
      policy: {
        coldGroups: Array.from({ length: 32 }, (_, index) => `cold-${String(index).padStart(2, '0')}`),
      },
    });
    const add = endpoint.metrics.add.bind(endpoint.metrics);
    let percent = 20;
    endpoint.metrics.add = (name, dimensions, value, statistic) =>
      add(name, dimensions, name === 'ModelMemoryUtilization' ? percent : value, statistic);
    await endpoint.run(80);
    percent = 96;
    await endpoint.run(1);
    percent = 20;
    const sizes = new Set<number | undefined>();

    await endpoint.run(60, async () => {
      sizes.add((await endpoint.store.readState())?.activeShards);
    });

    expect([...sizes]).toEqual([1, 2]);
  });
});

it('a newcomer takes the place of one model, and waits for it', async () => {
  const endpoint = virtualEndpoint({
    traffic: {
      'm0.tar.gz': { rate: steady(15), callSeconds: 0.1 },
      'm1.tar.gz': { rate: steady(16), callSeconds: 0.1 },
      'big.tar.gz': { rate: (minute) => (minute < 30 ? 0.1 : 200), callSeconds: 0.1 },
    },
    policy: { hotGroups: ['hot-00', 'hot-01'] },
  });
  for (const model of ['m0.tar.gz', 'm1.tar.gz']) {
    endpoint.store.rows.set(model, { model, isolated: true, loadMs: 900 });
  }

  await endpoint.run(60);

  expect(await stages(endpoint)).toEqual({ 'm1.tar.gz': 'hot', 'big.tar.gz': 'hot' });
});

it('a slot that was emptied is taken when its old workers are gone, so that new ones load what comes', async () => {
  const endpoint = virtualEndpoint({
    traffic: {
      'first.tar.gz': { rate: (minute) => (minute < 30 ? 40 : 0), callSeconds: 0.1 },
      'second.tar.gz': { rate: (minute) => (minute < 25 ? 0.1 : 15), callSeconds: 0.1 },
    },
    policy: { hotGroups: ['hot-00'] },
  });
  endpoint.store.rows.set('first.tar.gz', { model: 'first.tar.gz', isolated: true, loadMs: 900 });
  endpoint.store.rows.set('second.tar.gz', { model: 'second.tar.gz', maxWorkers: 1, loadMs: 900 });

  await endpoint.run(70);

  expect(await stages(endpoint)).toEqual({ 'second.tar.gz': 'hot' });
  expect(endpoint.servedBetween(0, 70).coldSlot).toBe(0);
});
