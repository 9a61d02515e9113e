import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const MODULE = join(import.meta.dirname, '../../local/batch-scheduling.ts');

/** Field 41 of /proc/PID/stat is the policy; the second is in brackets, and may have spaces (proc(5)). */
const SCRIPT = `
  import { execFileSync } from 'node:child_process';
  import { readdirSync, readFileSync } from 'node:fs';
  import { scheduleInBatches } from ${JSON.stringify(MODULE)};
  const policyOf = (stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
  const own = () => readdirSync('/proc/self/task').map((task) => policyOf(readFileSync('/proc/self/task/' + task + '/stat', 'utf8')));
  const before = own();
  await scheduleInBatches();
  const child = policyOf(execFileSync(process.execPath, ['--print', "require('fs').readFileSync('/proc/self/stat', 'utf8')"], { encoding: 'utf8' }));
  console.log(JSON.stringify({ before: [...new Set(before)], after: [...new Set(own())], child }));
`;

interface Policies {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly child: number;
}

const run = async (path = process.env['PATH']): Promise<Policies> => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    env: { ...process.env, PATH: path },
  });
  return JSON.parse(stdout) as Policies;
};

const BATCH = 3;
/** Not busybox's, which has no `--batch`. */
const hasChrt = /util-linux/.test(spawnSync('chrt', ['--version'], { encoding: 'utf8' }).stdout ?? '');

it.runIf(process.platform === 'linux' && hasChrt)(
  'lets each thread of the process, and those that it starts, run on',
  async () => {
    expect(await run()).toMatchObject({ after: [BATCH], child: BATCH });
  },
);

it.runIf(process.platform === 'linux')('changes nothing where there is no chrt', async () => {
  const { before, after, child } = await run('/nonexistent');

  expect(after).toEqual(before);
  expect([child]).toEqual(before);
});
