import { callManagement } from '../call-management.ts';
import type { CommandSpec } from '../command.ts';

export const rm: CommandSpec = {
  name: 'rm',
  summary: 'delete a model; rollback brings it back',
  args: [['<model>', 'its name']],
  example: 'rm tenant-7/churn.tar.gz',
  async run([model = ''], _, { connection, output }) {
    await callManagement(connection, 'DELETE', model);
    output.answer(`${model} is deleted; workers that have it open let go of it within a minute`, {
      model,
      deleted: true,
    });
  },
};
