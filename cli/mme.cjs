#!/usr/bin/env node
// The command `mme`. It is TypeScript, which the pinned Node runs as it is: an older Node hands over to that one.
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

const node = join(__dirname, '..', 'node_modules', '.bin', 'node');
const { status, signal, error } = spawnSync(node, [join(__dirname, 'main.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
if (error) {
  process.stderr.write(`mme needs the Node of this project, which npm ci installs: ${error.message}\n`);
}
process.exit(signal ? 1 : (status ?? 1));
