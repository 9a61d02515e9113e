import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * After all others, and alone: the emulator is one process that also runs the functions, and where the cores are busy it answers later than
 * functions wait for a table.
 */
const EMULATED = 'test/deploy/ministack.test.ts';

export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    env: {
      // No test may ever reach a real account: dummy keys, and an endpoint where nothing listens.
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_SESSION_TOKEN: '',
      AWS_PROFILE: '',
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
    // By default a core is left free, and of two cores one: but most of these tests wait, for processes and timeouts.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['test/**/*.test.ts'],
          exclude: [EMULATED],
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'emulated', include: [EMULATED], sequence: { groupOrder: 1 } } },
    ],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
