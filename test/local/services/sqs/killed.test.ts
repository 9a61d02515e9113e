import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { Queues } from '../../../../local/services/sqs/queues.ts';

const SENDER = join(import.meta.dirname, 'sender-to-kill.ts');

it('has every message that was answered for, though its process was killed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sqs-killed-'));
  const sender = spawn(process.execPath, [SENDER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  let answered = 0;
  for await (const _ of createInterface({ input: sender.stdout })) {
    answered++;
    if (answered === 200) sender.kill('SIGKILL');
  }
  if (sender.exitCode === null && sender.signalCode === null) await once(sender, 'exit');

  const queues = await Queues.open({ directory, now: Date.now });
  const bodies: string[] = [];
  for (;;) {
    const received = await queues.receive('work', { max: 10, waitMs: 0 });
    if (received.length === 0) break;
    bodies.push(...received.map(({ body }) => body));
  }
  await queues.close();
  await rm(directory, { recursive: true, force: true });

  expect(answered).toBeGreaterThanOrEqual(200);
  // One more may have been written, and its answer not.
  expect(bodies.length - answered).toBeOneOf([0, 1]);
  expect(bodies).toEqual(bodies.map((_, number) => String(number)));
});
