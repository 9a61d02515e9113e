import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { startEventSources } from '../../../local/services/event-sources/event-sources.ts';
import { Queues } from '../../../local/services/sqs/queues.ts';
import { startLambda } from '../lambda/lambda-harness.ts';
import { eventSource } from './mapping-harness.ts';

const HANDLER = `
  import { appendFileSync } from 'node:fs';
  export const handler = async ({ Records }) => {
    for (const { body } of Records) appendFileSync('handled', body + ' ');
    return { batchItemFailures: Records.filter(({ body }) => body === 'bad').map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };`;

it('moves messages through a function in a process of its own, across a restart of the queue', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sources-'));
  let nowMs = Date.now();
  const now = () => nowMs;
  const harness = await startLambda({ functions: { f: { source: HANDLER } }, settings: { limits: 'aws' } });
  const errors: unknown[] = [];
  const handled = () => readFileSync(join(harness.directory, 'code/f/handled'), 'utf8').trim().split(' ');
  let queues = await Queues.open({ directory, now });
  await queues.create('work', {});
  for (const body of ['a', 'bad', 'c']) await queues.send('work', { body, attributes: {}, system: {} });
  await queues.close();

  queues = await Queues.open({ directory, now });
  const sources = startEventSources({
    sources: [eventSource({ batchSize: 1, maximumConcurrency: 3, reportsFailures: true })],
    queues,
    lambda: harness.lambda,
    now,
    onError: (error) => errors.push(error),
  });
  // One environment for three calls at once, and no queue before it: two are throttled, and come later.
  await vi.waitFor(() => expect(queues.require('work').length).toBe(1), { timeout: 15_000 });
  nowMs += 30_000;
  await vi.waitFor(() => expect(handled().filter((body) => body === 'bad')).toHaveLength(2));
  await sources.close();

  expect(errors).toEqual([]);
  expect(handled().sort()).toEqual(['a', 'bad', 'bad', 'c']);
  await queues.close();
  await harness.close();
  await rm(directory, { recursive: true, force: true });
});
