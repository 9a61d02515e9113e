import { expect, it } from 'vitest';
import { scratchFolder } from '../fixtures/scratch.ts';
import { runFuzz } from './fuzz.ts';

const scratch = scratchFolder();

// `npm run fuzz` runs 10,000 of each.
it('goes on under spoilt artifacts and requests, and says of each what is wrong or answers rightly', async () => {
  const report = await runFuzz({ archives: 500, bodies: 1500, seed: 1, directory: scratch.path });

  expect(report.wrong).toEqual([]);
  expect(report.leakedFiles).toBe(0);
  expect(report.answers['ok']).toBeGreaterThan(300);
  expect(report.answers['ValidationError']).toBeGreaterThan(300);
  expect(report.answers['ModelError']).toBeGreaterThan(100);
}, 60_000);
