import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { notFound, throttled } from '../../../local/lambda/lambda-error.ts';
import { FunctionFailed, type MappingHarness, startMappings, VISIBILITY_MS } from './mapping-harness.ts';

let harness: MappingHarness;
beforeEach(async () => {
  harness = await startMappings();
});
afterEach(() => harness.close());

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 5 });
const calls = (count: number) => until(() => expect(harness.events.length).toBeGreaterThanOrEqual(count));

/** A function that answers when it is told to. */
const gatedFunction = () => {
  const waiting: (() => void)[] = [];
  return {
    waiting,
    run: () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
      }),
  };
};

describe('an event source mapping', () => {
  it('gives the function the event of AWS, and deletes what it has handled', async () => {
    await harness.queues.send('work', {
      body: '{"a":1}',
      attributes: { tenant: { dataType: 'String', stringValue: 't' } },
      system: {},
    });
    let asked: object | undefined;

    harness.start({}, (_, { functionName, qualifier }) => {
      asked = { functionName, qualifier };
    });
    await harness.untilLeft(0);

    expect(asked).toEqual({ functionName: 'f', qualifier: 'live' });
    expect(harness.events).toEqual([
      {
        Records: [
          {
            messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
            receiptHandle: expect.any(String),
            body: '{"a":1}',
            attributes: {
              ApproximateReceiveCount: '1',
              SentTimestamp: '1767225600000',
              SenderId: expect.any(String),
              ApproximateFirstReceiveTimestamp: '1767225600000',
            },
            messageAttributes: {
              tenant: { stringValue: 't', stringListValues: [], binaryListValues: [], dataType: 'String' },
            },
            md5OfBody: 'bb6cb5c68df4652941caf652a366f2d8',
            md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
            eventSource: 'aws:sqs',
            eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:work',
            awsRegion: 'us-east-1',
          },
        ],
      },
    ]);
  });

  it('gives batches of no more than it may', async () => {
    await harness.sendAll('a', 'b', 'c', 'd', 'e');

    harness.start({ batchSize: 2 }, () => undefined);
    await harness.untilLeft(0);

    expect(harness.calls().flat()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(harness.calls().map(({ length }) => length)).toEqual([2, 2, 1]);
  });

  it('waits for a batch to fill, beyond what one receive gives', async () => {
    harness.start({ batchSize: 25, windowMs: 5000 }, () => undefined);

    await harness.sendAll(...Array.from({ length: 25 }, (_, n) => `${n}`));
    await harness.untilLeft(0);

    expect(harness.calls().map(({ length }) => length)).toEqual([25]);
  });

  it('gives what there is when the window is over', async () => {
    harness.start({ batchSize: 25, windowMs: 5000 }, () => undefined);
    await harness.sendAll('a', 'b');
    await until(async () => expect((await harness.queues.counts('work')).inFlight).toBe(2));
    expect(harness.events).toEqual([]);

    harness.nowMs += 5000;
    await harness.untilLeft(0);

    expect(harness.calls()).toEqual([['a', 'b']]);
  });

  it('keeps events below 6 MB, though bodies grow as JSON', async () => {
    const body = '"'.repeat(1_000_000);
    await harness.sendAll(...Array.from({ length: 7 }, () => body));

    harness.start({ batchSize: 10 }, () => undefined);
    await harness.untilLeft(0);

    expect(harness.calls().flat()).toHaveLength(7);
    for (const event of harness.events) {
      expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThanOrEqual(6_291_456);
    }
  });

  it('has no more calls at once than it may', async () => {
    const { waiting, run } = gatedFunction();
    await harness.sendAll('a', 'b', 'c', 'd');

    harness.start({ batchSize: 1, maximumConcurrency: 2 }, run);
    await calls(2);
    expect(harness.queues.require('work').counts(harness.nowMs).inFlight).toBe(2);
    waiting.shift()?.();
    await calls(3);

    expect(harness.calls()).toEqual([['a'], ['b'], ['c']]);
    expect(waiting).toHaveLength(2);
    while (harness.queues.require('work').length > 0) {
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('is not started when it is not enabled', async () => {
    await harness.sendAll('a');

    harness.start({ enabled: false }, () => undefined);
    await harness.stop();

    expect(harness.queues.require('work').counts(harness.nowMs)).toMatchObject({ ready: 1 });
  });
});

describe('a function that fails', () => {
  it('is given its messages again after the visibility timeout, until they are dead letters', async () => {
    await harness.sendAll('poison');
    harness.start({}, () => {
      throw new FunctionFailed();
    });

    for (let call = 1; call <= 3; call++) {
      await calls(call);
      expect(harness.events).toHaveLength(call);
      await until(() => expect(harness.errors).toHaveLength(call));
      harness.nowMs += VISIBILITY_MS;
    }
    await harness.untilLeft(1, 'dead');

    expect(harness.queues.require('work').length).toBe(0);
    expect(harness.events).toHaveLength(3);
    expect(harness.events.map(({ Records }) => Records[0]?.attributes.ApproximateReceiveCount)).toEqual([
      '1',
      '2',
      '3',
    ]);
  });

  it('keeps those messages that it reports, and loses the others', async () => {
    await harness.sendAll('a', 'bad', 'c');
    harness.start({ reportsFailures: true }, ({ Records }) => ({
      batchItemFailures: Records.filter(({ body }) => body === 'bad').map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    }));
    await harness.untilLeft(1);

    harness.nowMs += VISIBILITY_MS;
    await calls(2);

    expect(harness.calls()).toEqual([['a', 'bad', 'c'], ['bad']]);
    expect(harness.errors).toEqual([]);
  });

  it('keeps all of them when it reports what was not in the batch', async () => {
    await harness.sendAll('a', 'b');
    harness.start({ reportsFailures: true }, () => ({ batchItemFailures: [{ itemIdentifier: 'x' }] }));
    await calls(1);

    harness.nowMs += VISIBILITY_MS;
    await calls(2);

    expect(harness.calls()).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('loses all when nobody asked it to report', async () => {
    await harness.sendAll('a');
    harness.start({}, ({ Records }) => ({ batchItemFailures: [{ itemIdentifier: Records[0]?.messageId }] }));

    await harness.untilLeft(0);
  });

  it('is not called in a tight loop, though the queue hides nothing', async () => {
    await harness.queues.setAttributes('work', { VisibilityTimeout: '0', RedrivePolicy: '' });
    await harness.sendAll('a');
    harness.start({}, () => {
      throw new FunctionFailed();
    });

    await new Promise((resolve) => setTimeout(resolve, 500));

    expect(harness.events.length).toBeLessThan(10);
  });
});

describe('a function that is throttled', () => {
  it('is called again, with the same receive of its messages', async () => {
    await harness.sendAll('a');
    let refusals = 2;
    harness.start({}, () => {
      if (refusals-- > 0) throw throttled('f', 'has no free environment');
    });

    await harness.untilLeft(0);

    expect(harness.events).toHaveLength(3);
    expect(harness.events[2]?.Records[0]?.attributes.ApproximateReceiveCount).toBe('1');
    expect(harness.errors).toEqual([]);
  });

  it('is given up once its messages are seen again', async () => {
    await harness.sendAll('a');
    let isThrottled = true;
    harness.start({}, () => {
      if (isThrottled) throw throttled('f', 'has no free environment');
    });
    await calls(1);

    isThrottled = false;
    harness.nowMs += VISIBILITY_MS;
    await harness.untilLeft(0);

    expect(Number(harness.events.at(-1)?.Records[0]?.attributes.ApproximateReceiveCount)).toBeLessThanOrEqual(
      2,
    );
  });

  it('keeps its messages when it is not there at all, which is said', async () => {
    await harness.sendAll('a');
    harness.start({}, () => {
      throw notFound('Function not found: f:live');
    });

    await until(() => expect(harness.errors).toMatchObject([{ type: 'ResourceNotFoundException' }]));

    expect(harness.queues.require('work').length).toBe(1);
  });
});

describe('a stop', () => {
  it('waits for calls that run, and lets them be deleted', async () => {
    const { waiting, run } = gatedFunction();
    await harness.sendAll('a');
    harness.start({}, run);
    await calls(1);

    const stopped = harness.stop();
    waiting.shift()?.();
    await stopped;

    expect(harness.queues.require('work').length).toBe(0);
  });

  it('does not wait for ever', async () => {
    await harness.sendAll('a');
    harness.start({}, gatedFunction().run, { closeWithinMs: 10 });
    await calls(1);

    await harness.stop();

    expect(harness.queues.require('work').counts(harness.nowMs)).toMatchObject({ inFlight: 1 });
  });

  it('gives back what a throttled function did not take', async () => {
    await harness.sendAll('a');
    harness.start({}, () => {
      throw throttled('f', 'has no free environment');
    });
    await calls(1);

    await harness.stop();

    expect(harness.queues.require('work').counts(harness.nowMs)).toMatchObject({ ready: 1 });
    expect(harness.errors).toEqual([]);
  });

  it('gives back at once what no function has seen', async () => {
    harness.start({ batchSize: 100, windowMs: 300_000 }, () => undefined);
    await harness.sendAll('a', 'b');
    await until(async () => expect((await harness.queues.counts('work')).inFlight).toBe(2));

    await harness.stop();

    expect(harness.events).toEqual([]);
    expect(harness.queues.require('work').counts(harness.nowMs)).toMatchObject({ ready: 2 });
  });
});
