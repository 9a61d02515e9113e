import { describe, expect, it } from 'vitest';
import { virtualEndpoint } from '../../stories/virtual-endpoint.ts';

const busy = { 'hot.tar.gz': { rate: () => 40, callSeconds: 0.1 } };

describe('a tick of the scaler', () => {
  it('writes routes over all cold groups for a new deployment, before CloudWatch has said a word', async () => {
    const endpoint = virtualEndpoint({ traffic: {} });

    const report = await endpoint.tick();

    expect(report).toMatchObject({ outcome: 'done', routes: 'written', calls: 0, moves: [] });
    expect(report).not.toHaveProperty('settled');
    expect((await endpoint.catalog.readRoutes())?.coldGroups).toEqual(endpoint.policy.coldGroups);
  });

  it('writes nothing when nothing has changed', async () => {
    const endpoint = virtualEndpoint({ traffic: {} });
    await endpoint.run(5);

    expect(await endpoint.tick()).toMatchObject({ routes: 'kept', calls: 0, moves: [] });
    expect(await endpoint.store.readState()).toBeUndefined();
  });

  it('leaves the field to another that is at work', async () => {
    const endpoint = virtualEndpoint({ traffic: {} });
    await endpoint.tick('a');

    expect((await endpoint.tick('b')).outcome).toBe('leased');
  });

  it('says in one line what it did and why, and leaves the whole plan in a row', async () => {
    const endpoint = virtualEndpoint({ traffic: busy });
    await endpoint.run(12);

    const moves = endpoint.reports.flatMap((report) => report.moves);
    expect(moves.map(({ rule, name, action }) => `${rule} ${name} ${action}`)).toEqual([
      'R7 hot.tar.gz cold -> warming',
      'R5 hot-00 0 -> 6 workers',
      'R9 hot.tar.gz warming -> hot',
    ]);
    expect(moves.every(({ reason }) => reason.length > 20)).toBe(true);
    const plan = await endpoint.store.readPlan();
    expect(plan?.models).toEqual([{ model: 'hot.tar.gz', stage: 'hot', group: 'hot-00', filled: 4 }]);
    expect(plan?.groups.find(({ group }) => group === 'hot-00')).toMatchObject({ ready: 6, wanted: 6 });
    const decision = plan?.decisions.find(({ name }) => name === 'hot-00');
    expect(decision).toMatchObject({ rule: 'R5', inputs: { callMs: 100 } });
    expect(decision?.dollarsAfter).toBeGreaterThan(0);
  });

  it('does not ask for what another tick has asked for already', async () => {
    const endpoint = virtualEndpoint({ traffic: busy });
    await endpoint.run(30);

    const puts = endpoint.fleet.calls.filter(({ text }) => text.startsWith('put'));

    expect(puts).toHaveLength(1);
  });
});
