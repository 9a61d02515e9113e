import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { describe, expect, it, vi } from 'vitest';
import { lateContext } from '../../../lib/aws/late-context.ts';

const contextOf = (awsRequestId: string): Context =>
  ({
    awsRequestId,
    functionName: 'router',
    functionVersion: '1',
    memoryLimitInMB: '512',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:router',
  }) as Context;

/** As Lambda says how an environment came to be. */
vi.stubEnv('AWS_LAMBDA_INITIALIZATION_TYPE', 'on-demand');

/** A logger whose lines are kept. */
const keptLines = () => {
  const lines: Record<string, unknown>[] = [];
  const logger = new Logger({ serviceName: 'router' });
  Object.assign(logger, { console: { warn: (line: string) => lines.push(JSON.parse(line)) } });
  return { logger, lines };
};

describe('context put into logs late', () => {
  it('is that of the call that is running when a line is written', async () => {
    const { logger, lines } = keptLines();
    const log = lateContext(logger);
    const handler = log.aroundCalls(
      async (word: string) => log.logger().warn(word),
      () => undefined,
    );

    await handler('one', contextOf('first'));
    await handler('two', contextOf('second'));
    await handler('three', contextOf('third'));

    expect(
      lines.map(({ message, function_request_id, cold_start }) => [message, function_request_id, cold_start]),
    ).toEqual([
      ['one', 'first', true],
      ['two', 'second', false],
      ['three', 'third', false],
    ]);
  });

  it('calls only the first call a cold start, though it wrote nothing', async () => {
    const { logger, lines } = keptLines();
    const log = lateContext(logger);
    const handler = log.aroundCalls(
      async (word: string) => void (word !== '' && log.logger().warn(word)),
      () => undefined,
    );

    await handler('', contextOf('first'));
    await handler('two', contextOf('second'));

    expect(lines).toMatchObject([{ function_request_id: 'second', cold_start: false }]);
  });

  it('runs what comes before each call ahead of it, and hands the result through', async () => {
    const order: string[] = [];
    const handler = lateContext(keptLines().logger).aroundCalls(
      async (event: string) => {
        order.push(event);
        return event.length;
      },
      () => void order.push('before'),
    );

    expect(await handler('call', contextOf('first'))).toBe(4);
    expect(order).toEqual(['before', 'call']);
  });
});
