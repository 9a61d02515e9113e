import { expect, it } from 'vitest';
import { runManyModels } from '../../fixtures/many-models.ts';
import { scratchFolder } from '../../fixtures/scratch.ts';

const scratch = scratchFolder();

// bench/many-models.ts runs 5,000 models through room for 200.
it('serves far more models than there is room for, within its bounds, and leaves nothing behind', async () => {
  const report = await runManyModels({
    models: 500,
    room: 20,
    diskRoom: 60,
    calls: 500,
    directory: scratch.path,
  });

  expect(report).toMatchObject({ wrong: 0, leakedSessions: 0, leakedFiles: 0 });
  expect(report.mostModels).toBeGreaterThanOrEqual(19);
  expect(report.mostMemoryBytes).toBeLessThanOrEqual(report.memoryBound);
  expect(report.mostDiskBytes).toBeLessThanOrEqual(report.diskBound);
  expect(report.mostFilesBytes).toBeLessThanOrEqual(report.diskBound);
  expect(report.hitRate).toBeGreaterThan(0.3);
}, 60_000);
