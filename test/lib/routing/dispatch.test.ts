import { describe, expect, it } from 'vitest';
import type { Routes, Target } from '../../../lib/catalog/routes.ts';
import type { InferenceCall, InferenceReply } from '../../../lib/protocol/envelope.ts';
import { chooseTargets, createDispatch } from '../../../lib/routing/dispatch.ts';
import { TargetGone, Throttled } from '../../../lib/routing/invoker.ts';
import { rankGroups } from '../../../lib/routing/rendezvous.ts';
import { call, routes } from '../../fakes/builders.ts';

const reply: InferenceReply = { ok: true, contentType: 'application/json', body: '[1]' };
const coldTarget = (group: string): Target => ({ functionName: `fn-${group}`, qualifier: 'live' });
const slot: Target = { functionName: 'fn-hot-00', qualifier: '7' };
const ranked = (model: string): readonly string[] =>
  rankGroups(model, routes().coldGroups).map((group) => `fn-${group}`);

/** An invoker that refuses the functions named and notes whom it was asked for. */
const recordingInvoker = (refuse: Readonly<Record<string, Error>> = {}) => {
  const asked: string[] = [];
  const invoke = async ({ functionName }: Target): Promise<InferenceReply> => {
    asked.push(functionName);
    const error = refuse[functionName];
    if (error) throw error;
    return reply;
  };
  return { invoke, asked };
};

const dispatchWith = (invoker: ReturnType<typeof recordingInvoker>, to: Routes = routes()) =>
  createDispatch({ invoker, coldTarget, timer: () => 0 })(to, call({ model: 'm.tar.gz' }));

describe('dispatch', () => {
  it('sends a cold model to its home shard', async () => {
    const invoker = recordingInvoker();

    expect(await dispatchWith(invoker)).toEqual(reply);
    expect(invoker.asked).toEqual(ranked('m.tar.gz').slice(0, 1));
  });

  it('sends a hot model to its slot, by version', () => {
    const hot = routes({ hot: new Map([['m.tar.gz', slot]]) });

    expect(chooseTargets(hot, 'm.tar.gz', coldTarget)[0]).toEqual(slot);
  });

  it('lets a hot model spill to its home shard when its slot is throttled', async () => {
    const invoker = recordingInvoker({ 'fn-hot-00': new Throttled('function', 1) });

    await dispatchWith(invoker, routes({ hot: new Map([['m.tar.gz', slot]]) }));

    expect(invoker.asked).toEqual(['fn-hot-00', ranked('m.tar.gz')[0]]);
  });

  it('tries the next shard when the home shard itself is throttled', async () => {
    const [home = '', next] = ranked('m.tar.gz');
    const invoker = recordingInvoker({ [home]: new Throttled('function', 1) });

    expect(await dispatchWith(invoker)).toEqual(reply);
    expect(invoker.asked).toEqual([home, next]);
  });

  it('gives the next shard what is left of the time, as a refusal may have taken some of it', async () => {
    let nowMs = 0;
    const left: (number | undefined)[] = [];
    const invoke = async (_: Target, { remainingMs }: InferenceCall): Promise<InferenceReply> => {
      left.push(remainingMs);
      nowMs += 5000.4;
      if (left.length === 1) throw new Throttled('function', 1);
      return reply;
    };

    await createDispatch({ invoker: { invoke }, coldTarget, timer: () => nowMs })(
      routes(),
      call({ model: 'm.tar.gz', remainingMs: 28_000 }),
    );

    expect(left).toEqual([28_000, 23_000]);
  });

  it('goes on to the next when a function or version is gone, and says so when all are', async () => {
    const [home = '', next = ''] = ranked('m.tar.gz');
    const gone = new TargetGone('no such function');
    const hot = routes({ hot: new Map([['m.tar.gz', slot]]) });
    const some = recordingInvoker({ 'fn-hot-00': gone, [home]: gone });

    expect(await dispatchWith(some, hot)).toEqual(reply);
    expect(some.asked).toEqual(['fn-hot-00', home, next]);
    await expect(dispatchWith(recordingInvoker({ [home]: gone, [next]: gone }))).rejects.toMatchObject({
      code: 'ServiceUnavailable',
      message: expect.stringContaining('being deployed'),
    });
  });

  it('answers 429 after two throttled shards, with the time to wait', async () => {
    const [home = '', next = ''] = ranked('m.tar.gz');
    const invoker = recordingInvoker({
      [home]: new Throttled('function', 1),
      [next]: new Throttled('function', 3),
    });

    await expect(dispatchWith(invoker)).rejects.toMatchObject({
      code: 'ThrottlingException',
      status: 429,
      retryAfterSeconds: 3,
    });
    expect(invoker.asked).toEqual([home, next]);
  });

  it('does not try another shard when the whole account is throttled', async () => {
    const [home = ''] = ranked('m.tar.gz');
    const invoker = recordingInvoker({ [home]: new Throttled('account', 1) });

    await expect(dispatchWith(invoker)).rejects.toMatchObject({ code: 'ThrottlingException' });
    expect(invoker.asked).toEqual([home]);
  });

  it('does not repeat a call that failed for any other reason: it may have run', async () => {
    const [home = ''] = ranked('m.tar.gz');
    const invoker = recordingInvoker({ [home]: new Error('connection reset') });

    await expect(dispatchWith(invoker)).rejects.toThrow('connection reset');
    expect(invoker.asked).toEqual([home]);
  });
});
