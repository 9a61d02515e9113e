import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createEngineRegistry } from '../../../lib/engines/registry.ts';
import { modelsHarness } from '../../fixtures/models-harness.ts';
import { linearModel } from '../../fixtures/onnx-model.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';
import { artifact } from '../../fixtures/tar-archive.ts';

const scratch = scratchFolder();
const WORKER = join(import.meta.dirname, '..', '..', 'fixtures', 'worker-to-kill.ts');

it('leaves no half model when it is killed, and the worker after it finds the whole one again', async () => {
  const worker = spawn(process.execPath, [WORKER, scratch.path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(worker.stdout, 'data');
  worker.kill('SIGKILL');
  await once(worker, 'exit');
  const root = join(scratch.path, 'models');
  expect((await readdir(root)).some((name) => name.includes('.tmp-'))).toBe(true);

  const next = modelsHarness(scratch.path, createEngineRegistry({ allowCustomCode: false, now: () => 0 }), {
    diskBytes: 10_000_000,
  });
  next.store.put('whole.tar.gz', artifact(linearModel([1, 2], 3)));
  await (await next.models.open('whole.tar.gz'))[Symbol.asyncDispose]();

  expect(next.store.reads).toEqual({});
  expect(next.store.checks).toEqual({ 'whole.tar.gz': 1 });
  expect(await readdir(root)).toHaveLength(2);
}, 20_000);
