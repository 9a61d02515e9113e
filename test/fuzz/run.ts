/**
 * Hostile artifacts and bodies in numbers, without vitest.
 * Run: npm run fuzz -- --runs 10000 --seed 1
 * What a process died of: npm run fuzz -- --seed 1 --trace | tail -1
 * One case again: npm run fuzz -- --seed 1 --from 4711 --runs 1 --kind archive
 */
import { writeSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BOUNDS, type Kind, runFuzz } from './fuzz.ts';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    kind: { type: 'string' },
    trace: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

const startedMs = performance.now();
let saidMs = startedMs;
const seconds = (): string => ((performance.now() - startedMs) / 1000).toFixed(0);
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

const report = await runFuzz({
  runs: Number(options.runs),
  seed: Number(options.seed),
  from: Number(options.from),
  directory: await mkdtemp(join(tmpdir(), 'fuzz-run-')),
  // The two kinds are all there are.
  ...(options.kind === undefined ? {} : { kinds: [options.kind as Kind] }),
  ...(options.trace && {
    onCase: (kind, number, what) => writeSync(1, `${kind} ${number} ${what}\n`),
  }),
  onProgress: (done, { failed, mostRssBytes }) => {
    if (performance.now() - saidMs < 3000) return;
    saidMs = performance.now();
    process.stdout.write(
      `${seconds()} s: ${done} of each kind, ${failed} failures, RSS ${mb(mostRssBytes)}\n`,
    );
  },
});

const byAnswer: Record<string, number> = {};
for (const [answer, count] of Object.entries(report.answers)) {
  const key = `${answer.split(' ', 1)[0]} ${answer.slice(answer.lastIndexOf(': ') + 2)}`;
  byAnswer[key] = (byAnswer[key] ?? 0) + count;
}
if (options.verbose) {
  for (const [answer, count] of Object.entries(report.answers).sort()) {
    process.stdout.write(`${String(count).padStart(6)}  ${answer}\n`);
  }
}
for (const { kind, number, what, problem } of report.failures) {
  process.stdout.write(`FAILED seed ${options.seed} ${kind} ${number} (${what}): ${problem}\n`);
}
process.stdout.write(
  `${seconds()} s; ${Object.entries(byAnswer)
    .map(([answer, count]) => `${answer} ${count}`)
    .join(
      ', ',
    )}; failures ${report.failed}; slowest ${report.slowestMs.toFixed(0)} ms; memory charged at most ${mb(report.mostMemoryBytes)} of ${mb(BOUNDS.memoryBytes)}, disk ${mb(report.mostDiskBytes)} of ${mb(BOUNDS.diskBytes)}; RSS ${mb(report.rssBeforeBytes)} -> ${mb(report.rssAfterBytes)}, at most ${mb(report.mostRssBytes)}; files leaked ${report.leakedFiles.length}, sessions leaked ${report.leakedSessions}\n`,
);
if (report.failed > 0 || report.leakedFiles.length > 0 || report.leakedSessions !== 0) process.exitCode = 1;
