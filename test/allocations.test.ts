import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = join(import.meta.dirname, 'fixtures', 'allocated.ts');
/** Counted the same on every run with these (fixtures/allocated.ts). */
const FLAGS = [
  '--expose-gc',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
  '--min-semi-space-size=256',
  '--max-semi-space-size=256',
];

/** With a little room, as they are. A call's allocations are what its time in a warm process is mostly made of, and no clock is asked. */
const MOST_BYTES = { router: 15_500, signature: 5_000 };

it('a call allocates no more than it did: in the router between its event and Invoke and back, and for a signature', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, SCRIPT]);
  const { bytes } = JSON.parse(stdout) as { bytes: typeof MOST_BYTES };

  for (const [name, most] of Object.entries(MOST_BYTES)) {
    const allocated = bytes[name as keyof typeof MOST_BYTES];
    expect([name, allocated, allocated <= most]).toEqual([name, allocated, true]);
    // Something has been counted at all.
    expect(allocated).toBeGreaterThan(most / 2);
  }
}, 60_000);
