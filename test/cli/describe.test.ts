import { describe, expect, it } from 'vitest';
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
