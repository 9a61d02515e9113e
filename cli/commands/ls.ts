import { type CommandSpec, option, wholeNumber } from '../command.ts';
import { bytesText } from '../output.ts';
import { table } from '../table.ts';

export const ls: CommandSpec = {
  name: 'ls',
  summary: 'the models of the endpoint',
  args: [['[prefix]', 'those whose names begin so']],
  options: [option('--limit <n>', 'at most so many').argParser(wholeNumber(1)).default(1000)],
  example: 'ls tenant-7/ --limit 20',
  async run([prefix = ''], { limit }, { connection, output }) {
    const { listModels } = await import('../list-models.ts');
    const onProgress = (count: number): void => output.progress(`${count} models`);
    const { models, isMore } = await listModels({ prefix, limit, connection, onProgress });
    const rows = models.map(({ model, sizeBytes, modified }) => [model, bytesText(sizeBytes), modified]);
    const lines = table(['model', 'size', 'modified'], rows, new Set([1]));
    const closing = isMore ? [`the first ${models.length}: there are more, see --limit`] : [];
    output.answer(
      models.length === 0 ? `no model below ${JSON.stringify(prefix)}` : [...lines, ...closing].join('\n'),
      { models, isMore },
    );
  },
};
