import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../local/services/sqs/message.ts';
import { MAX_IN_FLIGHT, Queue } from '../../../../local/services/sqs/queue.ts';

const newQueue = (): Queue => new Queue({ name: 'q', createdMs: 0, modifiedMs: 0, attributes: {} });
const entry = (overrides: Partial<Entry> = {}): Entry => ({
  id: 'a',
  order: 1,
  sentMs: 0,
  sizeBytes: 1,
  visibleAtMs: 0,
  receiveCount: 0,
  ...overrides,
});
const take = (queue: Queue, nowMs: number, overrides: object = {}) =>
  queue.take({ max: 10, maxBytes: 1e9, visibilityMs: 30, nowMs, maxReceiveCount: undefined, ...overrides });

describe('Queue', () => {
  it('takes at least one message, and no more bytes than asked', () => {
    const queue = newQueue();
    for (const id of ['a', 'b', 'c']) queue.put(entry({ id, sizeBytes: 5 }), 0);

    expect(take(queue, 0, { maxBytes: 1 }).entries.map(({ id }) => id)).toEqual(['a']);
    expect(take(queue, 0, { maxBytes: 10 }).entries.map(({ id }) => id)).toEqual(['b', 'c']);
  });

  it('gives nothing more once 120,000 messages are in flight', () => {
    const queue = newQueue();
    for (let n = 0; n <= MAX_IN_FLIGHT; n++) queue.put(entry({ id: String(n) }), 0);

    expect(take(queue, 0, { max: MAX_IN_FLIGHT + 1 }).entries).toHaveLength(MAX_IN_FLIGHT);
    expect(take(queue, 1).entries).toEqual([]);
    queue.remove('7');
    expect(take(queue, 2).entries).toHaveLength(1);
  });

  it('behaves as a list of messages with times would', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('put' as const), id: fc.nat(5), delayMs: fc.nat(20) }),
      fc.record({ do: fc.constant('take' as const), visibilityMs: fc.nat(20) }),
      fc.record({ do: fc.constant('remove' as const), id: fc.nat(5) }),
      fc.record({ do: fc.constant('hide' as const), id: fc.nat(5), ms: fc.nat(20) }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.nat(15) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = newQueue();
        const model = new Map<string, { visibleAtMs: number; receiveCount: number }>();
        let nowMs = 0;
        for (const each of steps) {
          if (each.do === 'pass') nowMs += each.ms;
          if (each.do === 'put' && !model.has(String(each.id))) {
            model.set(String(each.id), { visibleAtMs: nowMs + each.delayMs, receiveCount: 0 });
            queue.put(
              entry({ id: String(each.id), sentMs: nowMs, visibleAtMs: nowMs + each.delayMs }),
              nowMs,
            );
          }
          if (each.do === 'remove') {
            model.delete(String(each.id));
            queue.remove(String(each.id));
          }
          if (each.do === 'hide') {
            const there = queue.get(String(each.id));
            const modelled = model.get(String(each.id));
            if (there !== undefined && modelled !== undefined) {
              modelled.visibleAtMs = nowMs + each.ms;
              queue.put({ ...there, visibleAtMs: nowMs + each.ms }, nowMs);
            }
          }
          if (each.do === 'take') {
            const due = [...model].filter(([, { visibleAtMs }]) => visibleAtMs <= nowMs);
            const taken = take(queue, nowMs, { visibilityMs: each.visibilityMs }).entries;
            expect(taken.map(({ id }) => id).sort()).toEqual(due.map(([id]) => id).sort());
            for (const [, modelled] of due) {
              modelled.visibleAtMs = nowMs + each.visibilityMs;
              modelled.receiveCount++;
            }
          }
          const hidden = [...model.values()].filter(({ visibleAtMs }) => visibleAtMs > nowMs);
          expect(queue.counts(nowMs)).toEqual({
            ready: model.size - hidden.length,
            inFlight: hidden.filter(({ receiveCount }) => receiveCount > 0).length,
            delayed: hidden.filter(({ receiveCount }) => receiveCount === 0).length,
          });
          expect(queue.sizeBytes).toBe(model.size);
        }
      }),
    );
  });
});
