/** What a month costs. Run: npm run costs -- --help */
import { readFile, writeFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { atRest, type Fleet, ofCalls, onSageMaker, total } from './month.ts';
import { dollars, fleetTable, itemTable, renewTables } from './tables.ts';

const number =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isFinite(value) || value < least)
      throw new InvalidArgumentError(`expected a number, at least ${least}.`);
    return value;
  };

const command = new Command('npm run costs --')
  .description(
    'What a month costs: at rest, for example fleets, or for your own; prices of deploy/costs/prices.json.',
  )
  .option(
    '--rate <calls>',
    'calls a second, on average over the month; without it the examples are shown',
    number(0),
  )
  .option('--models <count>', 'models', number(1), 1000)
  .option('--milliseconds <ms>', 'of a call in the worker', number(0.1), 7)
  .option('--memory <MB>', 'of a worker', number(128), 1769)
  .option('--workers <count>', 'provisioned all month', number(0), 0)
  .option('--groups <count>', 'shards and slots that are called', number(1), 4)
  .option('--busy-models <count>', 'models that fill a tenth of a worker', number(0), 0)
  .addOption(
    new Option('--door <door>', 'how calls come in')
      .choices(['http-api', 'function-url'])
      .default('http-api'),
  )
  .addOption(new Option('--architecture <name>').choices(['x86_64', 'arm64']).default('x86_64'))
  .option('--no-alarms', 'without alarms')
  .option('--no-dashboard', 'without the dashboard')
  .option('--write <file>', 'renew the tables of docs/costs.md')
  .option('--json', 'for programs')
  .parse();

const options = command.opts();
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const watched = { alarms: options['alarms'] as boolean, dashboard: options['dashboard'] as boolean };

if (options['write'] !== undefined) {
  const file = String(options['write']);
  await writeFile(file, renewTables(await readFile(file, 'utf8')));
} else if (options['rate'] === undefined) {
  if (options['json']) print(JSON.stringify({ atRest: atRest(watched) }));
  else
    print(
      `At rest:\n\n${itemTable(atRest(watched))}\n\nExamples (7 ms a call, 1,769 MB, but for the last):\n\n${fleetTable()}`,
    );
} else {
  const fleet: Fleet = {
    models: options['models'],
    rate: options['rate'],
    milliseconds: options['milliseconds'],
    memoryMb: options['memory'],
    workers: options['workers'],
    groups: options['groups'],
    busyModels: options['busyModels'],
    door: options['door'],
    architecture: options['architecture'],
  };
  const items = [...atRest(watched), ...ofCalls(fleet)];
  const sagemaker = onSageMaker(fleet);
  if (options['json']) print(JSON.stringify({ fleet, items, dollars: total(items), sagemaker }));
  else
    print(
      `${itemTable(items)}\n\nSageMaker MME: ${dollars(sagemaker.dollars)}, ${sagemaker.count} ${sagemaker.type} (${sagemaker.how})`,
    );
}
