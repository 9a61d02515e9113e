import { type CommandSpec, option } from '../command.ts';

export const push: CommandSpec = {
  name: 'push',
  summary: 'upload a model, after opening it here as a worker would',
  args: [
    ['<file>', 'model.tar.gz, a bare .onnx, or a folder, which is packed'],
    ['[model]', 'its name (default: that of the file)'],
  ],
  options: [
    option('--no-check', 'upload without opening it first'),
    option('--allow-custom-code', 'open a model.mjs as well: it runs here'),
  ],
  example: 'push model.tar.gz tenant-7/churn.tar.gz',
  async run([path = '', model], { check, allowCustomCode = false }, { connection, output }) {
    const { pushModel } = await import('../push-model.ts');
    await pushModel({ path, model, isChecked: check !== false, allowCustomCode }, connection, output);
  },
};
