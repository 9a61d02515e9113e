import { join, resolve } from 'node:path';
import { Argument } from 'commander';
import type { CommandSpec } from '../command.ts';
import { SHELLS, type Shell, scriptOf } from '../completion-scripts.ts';

export const completion: CommandSpec = {
  name: 'completion',
  summary: 'a script that completes commands, options and models in a shell, for an alias mme="npx mme"',
  args: [new Argument('<shell>').choices(SHELLS)],
  isOffline: true,
  example: 'completion bash >> ~/.bashrc',
  async run([shell = ''], _, { output }) {
    // This very program, wherever it is called from.
    const script = scriptOf(shell as Shell, resolve(join(import.meta.dirname, '..', 'mme.cjs')));
    output.answer(script, { shell, script });
  },
};
