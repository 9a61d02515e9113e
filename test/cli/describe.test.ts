import { describe, expect, it } from 'vitest';
import { parseArguments, UsageError } from '../../cli/arguments.ts';
import { explainModel, explanationText } from '../../cli/describe-model.ts';
import { workersLines, workersText } from '../../cli/describe-workers.ts';
import type { PlanRow } from '../../lib/scaling/scaler-store.ts';
import { virtualEndpoint } from '../stories/virtual-endpoint.ts';

const planOf = async (): Promise<PlanRow> => {
  const endpoint = virtualEndpoint({
    traffic: {
      'hot.tar.gz': { rate: () => 40, callSeconds: 0.1 },
      'mild.tar.gz': { rate: () => 5, callSeconds: 0.02 },
    },
  });
  await endpoint.run(12);
  const plan = await endpoint.store.readPlan();
  if (plan === undefined) throw new Error('no plan');
  return plan;
};

describe('mme workers', () => {
  it('has a line for each model with workers, for the busiest without, and for the shards', async () => {
    const lines = workersLines(await planOf());

    expect(lines.map(({ model, tier, group, ready }) => [model, tier, group, ready])).toEqual([
      ['hot.tar.gz', 'hot', 'hot-00', 6],
      ['mild.tar.gz', 'cold', expect.stringMatching(/^cold-0/), 0],
      ...lines.slice(2).map(({ group }) => ['(cold models)', 'cold', group, expect.any(Number)]),
    ]);
    expect(lines[0]).toMatchObject({ demand: 4, why: expect.stringMatching(/\w+ \w+ \w+/) });
    expect(lines[0]?.dollarsPerHour).toBeGreaterThan(0.1);
  });

  it('is a table with what it costs, and says how old it is', async () => {
    const plan = await planOf();

    const text = workersText(plan, plan.atMs + 42_000);

    expect(text).toMatch(/^model +tier +group +workers +demand +\$\/hour +last decision +why\n/);
    expect(text).toMatch(/\nhot\.tar\.gz +hot +hot-00 +6 +4\.00 +0\.\d{4} +R\d [a-z0-9 >-]+/);
    expect(text).toMatch(/[67] of 100 workers, about \$0\.\d+ an hour, 4 of 4 shards; as of 42 s ago$/);
  });

  it('says so when there is nothing', () => {
    const plan: PlanRow = {
      atMs: 0,
      epoch: 1,
      groups: [],
      models: [],
      activeShards: 1,
      deployedShards: 4,
      budget: 20,
      decisions: [],
    };
    expect(workersText(plan, 600_000)).toBe(
      'Nobody has called of late, and nothing has workers.\n\n0 of 20 workers, about $0.000 an hour, 1 of 4 shards; as of 10 minutes ago: the scaler rests while nobody calls, or does not run',
    );
  });
});

describe('mme explain', () => {
  it('gives the last decisions about a hot model and its slot, with what went in and the dollars', async () => {
    const plan = await planOf();
    const row = { model: 'hot.tar.gz', sizeBytes: 5000, loadMs: 12 };

    const text = explanationText(explainModel(plan, 'hot.tar.gz', row), plan, plan.atMs);

    expect(text).toMatch(/^hot\.tar\.gz: hot, slot hot-00\n {2}demand {6}fills 4 workers\n/);
    expect(text).toMatch(/workers {5}6 ready of 6 wanted, version 1; about \$0\.\d+ an hour/);
    expect(text).toMatch(/known {7}sizeBytes 5000, loadMs 12/);
    expect(text).toMatch(/R5 {10}hot-00: hold 6: .*\n.*callsPerSecond 40, erlangs 4, callMs 100/);
    expect(text).toMatch(/next {8}It leaves when/);
  });

  it('says of a model that no worker speaks of that it is cold, and what would change that', async () => {
    const plan = await planOf();

    const text = explanationText(explainModel(plan, 'unknown.tar.gz', undefined), plan, plan.atMs);

    expect(text).toMatch(/^unknown\.tar\.gz: cold, served by its home shard\n/);
    expect(text).toMatch(/It gets workers when it fills one in 3 of 5 minutes/);
  });
});

describe('the arguments of mme', () => {
  it.each([
    [[], { command: { kind: 'help' }, json: false }],
    [['workers', '--json'], { command: { kind: 'workers' }, json: true }],
    [['explain', 'a/b.tar.gz'], { command: { kind: 'explain', model: 'a/b.tar.gz' }, json: false }],
    [
      ['ls', 'tenant-7/', '--limit', '5'],
      { command: { kind: 'ls', prefix: 'tenant-7/', limit: 5 }, json: false },
    ],
    [
      ['push', 'm.tar.gz', 'tenant-7/m.tar.gz', '--no-check'],
      {
        command: {
          kind: 'push',
          path: 'm.tar.gz',
          model: 'tenant-7/m.tar.gz',
          isChecked: false,
          allowCustomCode: false,
        },
        json: false,
      },
    ],
    [
      ['workers', '--stage', 'prod', '--region', 'eu-west-1'],
      {
        command: { kind: 'workers' },
        json: false,
        deployed: {
          stage: 'prod',
          region: 'eu-west-1',
          service: 'lambda-mme',
          bucket: 'lambda-mme-prod-models',
          url: undefined,
        },
      },
    ],
  ])('%j', (args, options) => {
    expect(parseArguments(args)).toEqual(options);
  });

  it.each([
    [['explain'], /explain takes 1 argument, but got 0/],
    [['explain', 'a', 'b'], /takes 1 argument, but got 2/],
    [['worker'], /there is no command "worker"/],
    [['workers', 'x'], /takes 0 arguments, but got 1/],
    [['workers', '--region', 'x'], /--region goes with --stage/],
    [['ls', '--limit', 'many'], /--limit must be a whole number above 0/],
    [['workers', '--nonsense'], /nonsense/],
  ])('refuses %j', (args, message) => {
    expect(() => parseArguments(args)).toThrow(UsageError);
    expect(() => parseArguments(args)).toThrow(message);
  });
});
