/**
 * Many models through a worker with little room: bounds, leaks and hit rate, with real sessions and files.
 * Run: npm run bench:many [-- --models 5000 --room 200 --disk-room 1000 --calls 20000 --json]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runManyModels } from '../test/fixtures/many-models.ts';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '5000' },
    room: { type: 'string', default: '200' },
    'disk-room': { type: 'string', default: '1000' },
    calls: { type: 'string', default: '20000' },
    json: { type: 'boolean', default: false },
  },
});

const directory = await mkdtemp(join(tmpdir(), 'bench-many-'));
const startedMs = performance.now();
try {
  const report = await runManyModels({
    models: Number(options.models),
    room: Number(options.room),
    diskRoom: Number(options['disk-room']),
    calls: Number(options.calls),
    directory,
    onProgress: (calls) => process.stderr.write(`\r${calls} calls`),
  });
  process.stderr.write('\n');
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ...options, ...report }, null, 2)}\n`
      : `
${options.models} models, each once, then ${options.calls} calls by Zipf's law; room for ${options.room} in memory, ${options['disk-room']} on disk; ${((performance.now() - startedMs) / 1000).toFixed(0)} s

| | most seen | bound |
|---|---|---|
| models open | ${report.mostModels} | |
| memory charged | ${mb(report.mostMemoryBytes)} | ${mb(report.memoryBound)} |
| disk charged | ${mb(report.mostDiskBytes)} | ${mb(report.diskBound)} |
| files on disk, in blocks | ${mb(report.mostFilesBytes)} | ${mb(report.diskBound)} |

process grown after the first half of the models: ${mb(report.grownBytes)}; loads ${report.loads}; hit rate of the Zipf calls ${(100 * report.hitRate).toFixed(1)} %
wrong answers ${report.wrong}, sessions leaked ${report.leakedSessions}, files leaked ${report.leakedFiles}
`,
  );
} finally {
  await rm(directory, { recursive: true, force: true });
}
