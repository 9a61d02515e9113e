/**
 * Spoilt artifacts and requests against one worker. Run: npm run fuzz [-- --archives 10000 --bodies 10000 --seed 1]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runFuzz } from './fuzz.ts';

const { values: options } = parseArgs({
  options: {
    archives: { type: 'string', default: '10000' },
    bodies: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});

const directory = await mkdtemp(join(tmpdir(), 'fuzz-'));
const startedMs = performance.now();
try {
  const report = await runFuzz({
    archives: Number(options.archives),
    bodies: Number(options.bodies),
    seed: Number(options.seed),
    directory,
    onProgress: (done) => process.stderr.write(`\r${done} done`),
  });
  process.stderr.write('\n');
  const { wrong, ...figures } = report;
  for (const each of wrong.slice(0, 20)) process.stdout.write(`${each}\n\n`);
  process.stdout.write(
    `${JSON.stringify({ ...figures, seconds: Math.round((performance.now() - startedMs) / 1000), wrong: wrong.length })}\n`,
  );
  process.exitCode = wrong.length === 0 && report.leakedFiles === 0 ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
