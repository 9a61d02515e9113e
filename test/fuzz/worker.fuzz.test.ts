import { spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder } from '../fixtures/scratch.ts';
import { EXTREMES, type Outcome } from './extremes.ts';
import { BOUNDS, type FuzzReport, runFuzz } from './fuzz.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260);

const again = `node test/fuzz/run.ts --seed ${SEED} --runs 1 --from <number> --kind <kind>`;

describe(`${RUNS} hostile artifacts and ${RUNS} request bodies, seed ${SEED}`, () => {
  let report: FuzzReport;
  beforeAll(
    async () => {
      report = await runFuzz({
        runs: RUNS,
        seed: SEED,
        directory: await mkdtemp(join(tmpdir(), 'lambda-mme-fuzz-')),
      });
    },
    60_000 + 50 * RUNS,
  );

  it('are each answered by a typed error or a right prediction, in time', () => {
    expect(
      report.failures.map(({ kind, number, what, problem }) => `${kind} ${number} (${what}): ${problem}`),
      `seed ${SEED}; again: ${again}`,
    ).toEqual([]);
    expect(report.failed).toBe(0);
  });

  it('leave the memory bounded', () => {
    expect(report.mostMemoryBytes).toBeLessThanOrEqual(BOUNDS.memoryBytes);
    expect(report.mostDiskBytes).toBeLessThanOrEqual(BOUNDS.diskBytes);
    expect(report.rssAfterBytes - report.rssBeforeBytes).toBeLessThan(BOUNDS.rssGrowthBytes);
  });

  it('leave no file and no session behind', () => {
    expect(report.leakedFiles).toEqual([]);
    expect(report.leakedSessions).toBe(0);
  });
});

/** What one call may take beside its body and its answer, which are 6 MB each at most (Lambda). */
const CALL_BYTES = 500e6;

describe('a worker of 512 MB survives, and answers in time', () => {
  const scratch = scratchFolder();

  it.each(Object.keys(EXTREMES))('%s', (name) => {
    const file = join(import.meta.dirname, 'extremes.ts');

    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      ['--max-old-space-size=512', file, name],
      {
        timeout: 15_000,
        killSignal: 'SIGKILL',
        encoding: 'utf8',
        env: { ...process.env, TMPDIR: scratch.path },
      },
    );

    expect({ status, signal }, stderr.slice(0, 1000)).toEqual({ status: 0, signal: null });
    const outcome = JSON.parse(stdout) as Outcome;
    expect(outcome.code).toMatch(/^(ok|ValidationError|ModelError)$/);
    expect(outcome.messageLength).toBeLessThan(2048);
    expect(outcome.tookMs).toBeLessThan(BOUNDS.callMs);
    expect(outcome.grownBytes).toBeLessThan(CALL_BYTES);
  });
});
